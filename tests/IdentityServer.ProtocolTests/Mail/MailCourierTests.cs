using System.Diagnostics.Metrics;
using System.Globalization;
using IdentityServer.Mail;
using IdentityServer.Protocol.Audit;
using IdentityServer.Storage.Mail;
using IdentityServer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.ProtocolTests.Mail;

/// <summary>The courier against a mail server that others wrote, and that is difficult.</summary>
public sealed class MailCourierTests : IAsyncLifetime
{
    private static readonly MailRecipient _alice = new("alice@example.com", "sub-alice", "Alice Archer", "en");

    private readonly List<ServerFixture> _servers = [];
    private int _port;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        _port = ServerFolder.FreePort();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_mail_goes_at_once_and_what_it_said_is_erased()
    {
        await using var mails = await MailServer.StartAsync(Ct, _port);
        var server = await StartAsync();

        var row = await SendAsync(server, MailKind.PasswordReset, new() { Link = "https://id.example/reset-password?code=SECRET" });
        var mail = await mails.ReceiveAsync(Ct);

        Assert.Equal(("id@example.com", "alice@example.com"), (mail.From, mail.To));
        Assert.Equal($"<{row.Id}@127.0.0.1>", mail.MessageId);
        Assert.Contains("https://id.example/reset-password?code=SECRET", mail.Text, StringComparison.Ordinal);
        Assert.Contains("href=\"https://id.example/reset-password?code=SECRET\"", mail.Html, StringComparison.Ordinal);
        var sent = await UntilAsync(server, row, stored => stored.SentAt is not null);
        Assert.Equal((null, null, null, 1), (sent.NextAttemptAt, sent.DeadAt, sent.Error, sent.Attempts));
        Assert.Empty(await OutboxOf(server).DueAsync(DateTimeOffset.MaxValue, 9, Ct));
        Assert.DoesNotContain("alice@example.com", server.Log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_of_a_mail_can_be_read_in_the_database()
    {
        var server = await StartAsync();

        var row = await SendAsync(server, MailKind.PasswordReset, new() { Link = "https://id.example/reset-password?code=SECRET" });

        Assert.All(["SECRET", "alice", "example.com", "Archer"], part => Assert.DoesNotContain(part, row.Sealed, StringComparison.Ordinal));
        var seal = server.Services.GetRequiredService<MailSeal>();
        Assert.True(seal.TryOpen(row.Id, row.Sealed, out var letter));
        Assert.Equal("alice@example.com", letter.To);
        Assert.False(seal.TryOpen(Protocol.Handle.NewId(), row.Sealed, out _));
        Assert.False(seal.TryOpen(row.Id, row.Sealed + "A", out _));
    }

    [Fact]
    public async Task A_server_that_says_later_is_asked_again_after_a_minute()
    {
        await using var mails = await MailServer.StartAsync(Ct, _port);
        await mails.AnswerAsync("refuse-next 2 451 4.7.1 <alice@example.com> greylisted", Ct);
        var server = await StartAsync();

        var row = await SendAsync(server, MailKind.PasswordChanged);
        var first = await UntilAsync(server, row, stored => stored.Error is not null);
        Assert.InRange((first.NextAttemptAt!.Value - server.Clock.GetUtcNow()).TotalSeconds, 54, 66);
        Assert.Contains("451", first.Error, StringComparison.Ordinal);
        Assert.Contains("greylisted", first.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("alice", first.Error + server.Log.Text, StringComparison.Ordinal);

        server.Clock.Advance(TimeSpan.FromSeconds(67));
        await UntilAsync(server, row, stored => stored.Attempts == 2 && stored.NextAttemptAt - server.Clock.GetUtcNow() < TimeSpan.FromSeconds(133));
        Assert.Empty(mails.TakeRest());
        server.Clock.Advance(TimeSpan.FromSeconds(133));

        Assert.Equal($"<{row.Id}@127.0.0.1>", (await mails.ReceiveAsync(Ct)).MessageId);
        Assert.Equal(3, (await UntilAsync(server, row, stored => stored.SentAt is not null)).Attempts);
    }

    [Fact]
    public async Task A_mail_server_that_is_down_for_ten_minutes_loses_no_mail_and_no_link()
    {
        var server = await StartAsync();
        var asked = await SendAsync(server, MailKind.PasswordReset, new() { Link = "https://id.example/reset-password?code=X" });
        var notice = await SendAsync(server, MailKind.PasswordChanged);
        for (var minute = 0; minute < 10; minute++)
        {
            await UntilAsync(server, asked, stored => stored.Error is not null && stored.NextAttemptAt > server.Clock.GetUtcNow());
            server.Clock.Advance(TimeSpan.FromMinutes(1));
        }

        await using var mails = await MailServer.StartAsync(Ct, _port);
        server.Clock.Advance(TimeSpan.FromMinutes(2.5));
        var link = await mails.ReceiveAsync(Ct);
        server.Clock.Advance(TimeSpan.FromMinutes(10));
        var other = await mails.ReceiveAsync(Ct);

        Assert.Equal(
            new[] { asked.Id, notice.Id }.Order(StringComparer.Ordinal),
            new[] { link, other }.Select(mail => mail.MessageId.Split('@')[0].TrimStart('<')).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_link_that_has_expired_is_not_sent_any_more()
    {
        var server = await StartAsync();
        var row = await SendAsync(server, MailKind.PasswordReset, new() { Link = "https://id.example/reset-password?code=X" });
        await UntilAsync(server, row, stored => stored.Error is not null);

        await using var mails = await MailServer.StartAsync(Ct, _port);
        server.Clock.Advance(TimeSpan.FromMinutes(16));

        var dead = await UntilAsync(server, row, stored => stored.DeadAt is not null);
        Assert.Equal("Its link expired before it could be sent.", dead.Error);
        Assert.Empty(mails.TakeRest());
        Assert.False(await RetryAsync(server, row));
    }

    [Fact]
    public async Task After_three_days_of_refusals_a_mail_is_given_up_and_can_be_tried_once_more()
    {
        await using var mails = await MailServer.StartAsync(Ct, _port);
        await mails.AnswerAsync("refuse 550 5.1.1 <alice@example.com>: no such mailbox", Ct);
        var server = await StartAsync();
        using var counted = new Counted("identity_mail_total");
        var row = await SendAsync(server, MailKind.NewSignIn, new() { Link = "https://id.example/not-me?code=X" });

        var pauses = new List<TimeSpan>();
        var stored = await UntilAsync(server, row, stored => stored.Error is not null);
        while (stored.DeadAt is null)
        {
            pauses.Add(stored.NextAttemptAt!.Value - server.Clock.GetUtcNow());
            var attempts = stored.Attempts;
            server.Clock.SetUtcNow(stored.NextAttemptAt.Value);
            stored = await UntilAsync(
                server, row, now => now.DeadAt is not null || (now.Attempts > attempts && now.NextAttemptAt - server.Clock.GetUtcNow() != TimeSpan.FromMinutes(3)));
        }

        Assert.InRange(server.Clock.GetUtcNow() - row.CreatedAt, TimeSpan.FromDays(2.7), TimeSpan.FromDays(3));
        Assert.All(pauses, pause => Assert.InRange(pause, TimeSpan.FromSeconds(54), TimeSpan.FromHours(6.6)));
        Assert.True(pauses[^1] > TimeSpan.FromHours(5.3));
        await counted.UntilAsync("new_sign_in", "dead", 1);
        await counted.UntilAsync("new_sign_in", "failed", pauses.Count);
        var audit = (await server.Services.GetRequiredService<IAuditLog>().LatestAsync(1, Ct))[0];
        Assert.Equal((AuditTypes.MailGivenUp, "sub-alice", "undeliverable", "new_sign_in"), (audit.Type, audit.Subject, audit.Outcome, audit.Detail));
        Assert.Contains($"The mail {row.Id} (new_sign_in) was given up", server.Log.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("alice@example.com", server.Log.Text + stored.Error, StringComparison.Ordinal);

        // Refused once more, it is dead at once; taken, it is sent.
        Assert.True(await RetryAsync(server, row));
        await UntilAsync(server, row, now => now.DeadAt is not null && now.Attempts == stored.Attempts + 1);
        await mails.AnswerAsync("accept", Ct);
        Assert.True(await RetryAsync(server, row));
        Assert.Equal($"<{row.Id}@127.0.0.1>", (await mails.ReceiveAsync(Ct)).MessageId);
        await UntilAsync(server, row, now => now is { SentAt: not null, DeadAt: null });
        await counted.UntilAsync("new_sign_in", "sent", 1);
    }

    [Fact]
    public async Task A_mail_server_that_hangs_holds_up_neither_the_others_nor_the_end()
    {
        await using var mails = await MailServer.StartAsync(Ct, _port);
        await mails.AnswerAsync("hang", Ct);
        var server = await StartAsync(settings => settings["IdentityServer:Mail:Smtp:Timeout"] = "00:00:01");
        var stuck = await SendAsync(server, MailKind.PasswordChanged);

        var failed = await UntilAsync(server, stuck, stored => stored.Error is not null);
        Assert.Contains("did not answer within 1 s", failed.Error, StringComparison.Ordinal);
        await mails.AnswerAsync("accept", Ct);
        var next = await SendAsync(server, MailKind.PasswordChanged);

        Assert.Equal($"<{next.Id}@127.0.0.1>", (await mails.ReceiveAsync(Ct)).MessageId);
    }

    [Fact]
    public async Task A_mail_that_cannot_be_opened_keeps_no_other_from_being_sent()
    {
        await using var mails = await MailServer.StartAsync(Ct, _port);
        var server = await StartAsync();
        var broken = Compose(server, MailKind.PasswordChanged)! with { Sealed = "nothing that we sealed" };
        await OutboxOf(server).AddAsync(broken, Ct);
        var row = await SendAsync(server, MailKind.PasswordChanged);

        Assert.Equal($"<{row.Id}@127.0.0.1>", (await mails.ReceiveAsync(Ct)).MessageId);
        Assert.Contains("cannot be opened", (await UntilAsync(server, broken, stored => stored.Error is not null)).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_mail_server_mail_is_off_and_nothing_is_written()
    {
        var server = await ServerFixture.StartAsync(Ct);
        _servers.Add(server);

        Assert.False(server.Services.GetRequiredService<MailRoute>().IsOn);
        Assert.Null(Compose(server, MailKind.PasswordChanged));
    }

    [Theory]
    [InlineData(1, 60)]
    [InlineData(2, 120)]
    [InlineData(8, 7_680)]
    [InlineData(10, 21_600)]
    [InlineData(1_000, 21_600)]
    public void Pauses_double_from_a_minute_to_six_hours_give_or_take_a_tenth(int attempts, int seconds)
    {
        var pauses = Enumerable.Range(0, 200).Select(_ => MailCourier.PauseAfter(attempts, TimeSpan.FromHours(6)).TotalSeconds).ToArray();

        Assert.All(pauses, pause => Assert.InRange(pause, seconds * 0.9, seconds * 1.1));
        Assert.True(pauses.Distinct().Count() > 20);
    }

    private async Task<ServerFixture> StartAsync(Action<IDictionary<string, string?>>? change = null)
    {
        var server = await ServerFixture.StartAsync(Ct, settings =>
        {
            settings["IdentityServer:Mail:From"] = "id@example.com";
            settings["IdentityServer:Mail:Smtp:Host"] = "127.0.0.1";
            settings["IdentityServer:Mail:Smtp:Port"] = _port.ToString(CultureInfo.InvariantCulture);
            settings["IdentityServer:Mail:Smtp:Tls"] = "None";
            change?.Invoke(settings);
        });
        _servers.Add(server);
        return server;
    }

    private static OutboxMail? Compose(ServerFixture server, MailKind kind, MailValues? values = null) =>
        server.Services.GetRequiredService<MailComposer>().Compose(kind, _alice, values ?? new());

    private static async Task<OutboxMail> SendAsync(ServerFixture server, MailKind kind, MailValues? values = null)
    {
        var mail = Compose(server, kind, values)!;
        await OutboxOf(server).AddAsync(mail, Ct);
        server.Services.GetRequiredService<MailBell>().Ring();
        return mail;
    }

    private static IOutbox OutboxOf(ServerFixture server) => server.Services.GetRequiredService<IOutbox>();

    private static async Task<bool> RetryAsync(ServerFixture server, OutboxMail mail)
    {
        var now = server.Clock.GetUtcNow();
        var done = await OutboxOf(server).RetryAsync(mail.Id, now, new AuditEvent(AuditTypes.MailRetried, now), Ct);
        server.Services.GetRequiredService<MailBell>().Ring();
        return done;
    }

    /// <summary>The row once it is so; the courier works beside the test.</summary>
    private static async Task<OutboxMail> UntilAsync(ServerFixture server, OutboxMail mail, Func<OutboxMail, bool> isSo)
    {
        for (var look = 0; look < 3000; look++)
        {
            var stored = (await OutboxOf(server).LatestAsync(100, Ct)).Single(row => row.Id == mail.Id);
            if (isSo(stored))
            {
                return stored;
            }

            await Task.Delay(10, Ct);
        }

        throw new CheckFailedException($"It never came to that: {(await OutboxOf(server).LatestAsync(1, Ct))[0]}\n{server.Log.Text}");
    }

    private sealed class Counted : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly List<(string? Kind, string? Result)> _counts = [];

        public Counted(string name)
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == name)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((_, _, tags, _) =>
            {
                var values = tags.ToArray().ToDictionary(tag => tag.Key, tag => tag.Value as string, StringComparer.Ordinal);
                lock (_counts)
                {
                    _counts.Add((values["kind"], values["result"]));
                }
            });
            _listener.Start();
        }

        /// <summary>Counted so often or more: the count follows the row, and other servers of this process count too.</summary>
        public async Task UntilAsync(string kind, string result, int times)
        {
            while (Of(kind, result) < times)
            {
                await Task.Delay(10, Ct);
            }
        }

        private int Of(string kind, string result)
        {
            lock (_counts)
            {
                return _counts.Count(count => count == (kind, result));
            }
        }

        public void Dispose() => _listener.Dispose();
    }
}
