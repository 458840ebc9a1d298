using System.Diagnostics.Metrics;
using System.Text.Json.Nodes;
using IdentityServer.Logout;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Storage.Accounts;
using IdentityServer.Storage.Logout;
using IdentityServer.Storage.Revocations;
using IdentityServer.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace IdentityServer.ProtocolTests.Logout;

/// <summary>The server's word to apps whose back-channel logout address is a web server of the test's own, and difficult.</summary>
public sealed class BackChannelTests : IAsyncLifetime
{
    private const string Scope = "openid offline_access";

    private readonly List<IAsyncDisposable> _started = [];
    private readonly int _port = ServerFolder.FreePort();
    private Person _alice = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var each in Enumerable.Reverse(_started))
        {
            await each.DisposeAsync();
        }
    }

    [Theory]
    [InlineData("RS256")]
    [InlineData("ES256")]
    public async Task A_sign_out_is_told_at_once_in_a_token_of_the_specification(string algorithm)
    {
        var receiver = await ReceiveAsync();
        var server = await StartAsync();
        var app = await AddAppAsync(server, "app", receiver.Address, client => client with { IdTokenSigningAlgorithm = algorithm });
        var browser = new Browser(server.Http);
        var tokens = await app.ExchangeAsync(await app.AuthorizeAsync(browser, app.Attempt(), _alice, Ct), Ct);

        await browser.OpenAsync(app.EndSessionAddress(("id_token_hint", tokens.IdToken!.Text)), Ct);
        var told = await receiver.ReceiveAsync(Ct);

        Assert.Equal(
            ("POST", "/backchannel", "application/x-www-form-urlencoded"), (told.Method, told.Path, told.ContentType));
        Assert.Equal(["logout_token"], told.Fields);
        var token = told.Token!;
        token.Verify(server.Provider.Jwks);
        Assert.Equal((algorithm, "logout+jwt"), (token.Algorithm, token.Type));
        Assert.Equal(
            ["aud", "events", "exp", "iat", "iss", "jti", "sid", "sub"], token.Claims.Select(claim => claim.Key).Order(StringComparer.Ordinal));
        Assert.Equal(
            (server.Provider.Issuer, "app", tokens.IdToken!["sub"], tokens.IdToken["sid"]), (token["iss"], token["aud"], token["sub"], token["sid"]));
        Assert.Equal(server.Clock.GetUtcNow().ToUnixTimeSeconds(), (long)token.Claims["iat"]!);
        Assert.InRange((long)token.Claims["exp"]! - (long)token.Claims["iat"]!, 1, 120);
        Assert.True(JsonNode.DeepEquals(
            JsonNode.Parse("""{"http://schemas.openid.net/event/backchannel-logout":{}}"""), token.Claims["events"]));

        // As the stock library of .NET reads it.
        var result = await new JsonWebTokenHandler().ValidateTokenAsync(token.Text, new TokenValidationParameters
        {
            ValidIssuer = server.Provider.Issuer,
            ValidAudience = "app",
            ValidTypes = ["logout+jwt"],
            IssuerSigningKeys = new JsonWebKeySet(server.Provider.Jwks.ToJsonString()).GetSigningKeys(),
            LifetimeValidator = (_, expires, _, _) => expires > server.Clock.GetUtcNow().UtcDateTime,
        });
        Assert.True(result.IsValid, result.Exception?.Message);
        var notice = await UntilAsync(server, stored => stored.DeliveredAt is not null);
        Assert.Equal((told.Jti, 1, null, null), (notice.Id, notice.Attempts, notice.NextAttemptAt, notice.Error));

        // Not to be taken for a hint, nor for an access token.
        var page = await browser.OpenAsync(app.EndSessionAddress(("id_token_hint", token.Text)), Ct);
        Assert.Equal(400, (int)page.Status);
        Assert.Equal(401, (await app.UserInfoAsync(token.Text, Ct)).Status);
    }

    [Fact]
    public async Task Only_apps_that_took_part_and_asked_for_it_are_told()
    {
        var receiver = await ReceiveAsync();
        var server = await StartAsync();
        var app = await AddAppAsync(server, "app", receiver.Address);
        await AddAppAsync(server, "not-used", receiver.Address + "/not-used");
        var silent = await AddAppAsync(server, "silent", null);
        var second = await AddAppAsync(server, "second", receiver.Address + "/second");
        var browser = new Browser(server.Http);
        foreach (var each in new[] { app, silent, second, app })
        {
            await each.ExchangeAsync(await each.AuthorizeAsync(browser, each.Attempt(), _alice, Ct), Ct);
        }

        await SignOutAsync(server, browser);

        Assert.Equal(
            ["app", "second"], new[] { await receiver.ReceiveAsync(Ct), await receiver.ReceiveAsync(Ct) }.Select(told => told.Token!["aud"]!).Order(StringComparer.Ordinal));
        await UntilAllAsync(server, notices => notices.Count == 2 && notices.All(notice => notice.DeliveredAt is not null));
        Assert.Empty(receiver.TakeRest());
    }

    [Fact]
    public async Task An_app_that_is_left_alone_is_told_alone()
    {
        var receiver = await ReceiveAsync();
        var server = await StartAsync();
        var left = await AddAppAsync(server, "left", receiver.Address);
        var stays = await AddAppAsync(server, "stays", receiver.Address + "/stays");
        var browser = new Browser(server.Http);
        var tokens = await left.ExchangeAsync(await left.AuthorizeAsync(browser, left.Attempt("openid"), _alice, Ct), Ct);
        await stays.ExchangeAsync(await stays.AuthorizeAsync(browser, stays.Attempt("openid"), _alice, Ct), Ct);

        await SignOutAsync(server, browser, left.EndSessionAddress(("client_id", "left")), "app");

        var told = (await receiver.ReceiveAsync(Ct)).Token!;
        Assert.Equal(("left", tokens.IdToken!["sid"], tokens.IdToken["sub"]), (told["aud"], told["sid"], told["sub"]));
        var receipts = server.Services.GetRequiredService<IReceiptStore>();
        var receipt = Assert.Single(await receipts.ListAsync(null, 10, Ct));
        await UntilAllAsync(server, notices => notices.Count == 1 && notices[0].DeliveredAt is not null, receipt.Id);
        Assert.Equal(("left", tokens.IdToken["sid"], receipt.At), (receipt.ClientId, receipt.SessionId, receipt.NotifiedAt));
        Assert.Equal(new Died(0, 1, 1), await receipts.CountAsync(receipt, Ct));

        // Whoever leaves the rest later leaves it all: both are told, whether they came back or not.
        await SignOutAsync(server, browser);
        Assert.Equal(
            ["left", "stays"], new[] { await receiver.ReceiveAsync(Ct), await receiver.ReceiveAsync(Ct) }.Select(each => each.Token!["aud"]!).Order(StringComparer.Ordinal));
        Assert.Empty(receiver.TakeRest());
    }

    [Theory]
    [InlineData("administrator")]
    [InlineData("person")]
    [InlineData("password")]
    [InlineData("everything")]
    [InlineData("deletion")]
    public async Task Whatever_ends_a_session_is_told(string how)
    {
        var receiver = await ReceiveAsync();
        var server = await StartAsync();
        var app = await AddAppAsync(server, "app", receiver.Address);
        var here = (await app.SignInAsync(_alice, Scope, Ct)).IdToken!;
        var there = (await app.SignInAsync(_alice, Scope, Ct)).IdToken!;
        var revoker = server.Services.GetRequiredService<Revoker>();
        var cause = new Cause("test", "system", null);
        var (sub, sid) = (here["sub"]!, here["sid"]!);

        var receipt = how switch
        {
            "administrator" => await revoker.EndSessionAsync(sid, sub, alsoOffline: true, cause, Ct),
            "person" => await revoker.EndPersonAsync(sub, null, null, cause, Ct),
            "password" => await revoker.EndPersonAsync(sub, there["sid"], NewPasswordOf(server, sub), cause, Ct),
            "deletion" => await revoker.EndPersonAsync(
                sub, null, new AccountDeleted { Audit = new AuditEvent(AuditTypes.UserDeleted, server.Clock.GetUtcNow()) { Subject = sub } }, cause, Ct),
            _ => await revoker.EndEverythingAsync(cause, Ct),
        };

        string[] ended = how is "administrator" or "password" ? [sid] : [sid, there["sid"]!];
        var told = new List<string>();
        foreach (var _ in ended)
        {
            told.Add((await receiver.ReceiveAsync(Ct)).Token!["sid"]!);
        }

        Assert.Equal(ended.Order(StringComparer.Ordinal), told.Order(StringComparer.Ordinal));
        await UntilAllAsync(server, notices => notices.Count == ended.Length && notices.All(notice => notice.DeliveredAt is not null), receipt!.Id);
        Assert.NotNull((await server.Services.GetRequiredService<IReceiptStore>().FindAsync(receipt!.Id, Ct))!.NotifiedAt);
        Assert.Empty(receiver.TakeRest());
    }

    [Fact]
    public async Task An_app_that_is_down_for_ten_minutes_hears_of_everything_afterwards()
    {
        var server = await StartAsync();
        var app = await AddAppAsync(server, "app", LogoutReceiver.AddressAt(_port));
        var sids = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            sids.Add(await EndOneAsync(server, app));
        }

        for (var minute = 0; minute < 10; minute++)
        {
            await UntilAllAsync(server, notices => notices.Count == 5 && notices.All(notice => notice.NextAttemptAt > server.Clock.GetUtcNow()));
            server.Clock.Advance(TimeSpan.FromMinutes(1));
        }

        var receiver = await ReceiveAsync();
        server.Clock.Advance(TimeSpan.FromMinutes(20));

        var told = new List<string>();
        while (told.Count < 5)
        {
            told.Add((await receiver.ReceiveAsync(Ct)).Token!["sid"]!);
        }

        Assert.Equal(sids.Order(StringComparer.Ordinal), told.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(500)]
    [InlineData(400)]
    [InlineData(404)]
    [InlineData(202)]
    [InlineData(302)]
    public async Task What_is_not_taken_is_told_again_with_the_same_id(int status)
    {
        var receiver = await ReceiveAsync();
        var trap = await LogoutReceiver.StartAsync(ServerFolder.FreePort(), Ct);
        _started.Add(trap);
        receiver.Answer = http =>
        {
            http.Response.StatusCode = status;
            http.Response.Headers.Location = trap.Address;
            return Task.CompletedTask;
        };
        var server = await StartAsync();
        await EndOneAsync(server, await AddAppAsync(server, "app", receiver.Address));
        var first = await receiver.ReceiveAsync(Ct);
        var failed = await UntilAsync(server, stored => stored.Error is not null);
        Assert.Equal($"status_{status}", failed.Error);
        Assert.InRange((failed.NextAttemptAt!.Value - server.Clock.GetUtcNow()).TotalSeconds, 0.9, 1.1);

        receiver.AnswerWith(204);
        server.Clock.Advance(TimeSpan.FromSeconds(2));
        var again = await receiver.ReceiveAsync(Ct);

        Assert.Equal(first.Jti, again.Jti);
        Assert.NotEqual(first.Token!.Text, again.Token!.Text);
        Assert.Equal(2, (await UntilAsync(server, stored => stored.DeliveredAt is not null)).Attempts);
        Assert.Empty(trap.TakeRest());
    }

    [Fact]
    public async Task An_app_that_hangs_is_left_after_five_seconds_and_holds_up_nobody_else()
    {
        var receiver = await ReceiveAsync();
        var other = await LogoutReceiver.StartAsync(ServerFolder.FreePort(), Ct);
        _started.Add(other);
        receiver.Hang();
        var server = await StartAsync();
        var (slow, quick) = (await AddAppAsync(server, "slow", receiver.Address), await AddAppAsync(server, "quick", other.Address));
        for (var i = 0; i < 12; i++)
        {
            await EndOneAsync(server, slow);
        }

        await receiver.ReceiveAsync(Ct);
        var sid = await EndOneAsync(server, quick);
        Assert.Equal(sid, (await other.ReceiveAsync(Ct)).Token!["sid"]);

        server.Clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal("timeout", (await UntilAsync(server, stored => stored.Error is not null)).Error);
    }

    [Fact]
    public async Task An_answer_without_end_is_not_read()
    {
        var receiver = await ReceiveAsync();
        var isCut = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        receiver.Answer = async http =>
        {
            try
            {
                while (true)
                {
                    await http.Response.Body.WriteAsync(new byte[16_384], http.RequestAborted);
                }
            }
            catch (Exception error) when (error is OperationCanceledException or IOException)
            {
                isCut.TrySetResult();
            }
        };
        var server = await StartAsync();
        await EndOneAsync(server, await AddAppAsync(server, "app", receiver.Address));

        await UntilAsync(server, stored => stored.DeliveredAt is not null);
        await isCut.Task.WaitAsync(Ct);
    }

    [Fact]
    public async Task An_app_whose_certificate_is_not_trusted_is_not_told()
    {
        using var certificate = LogoutReceiver.MakeCertificate();
        var receiver = await LogoutReceiver.StartAsync(_port, Ct, certificate);
        _started.Add(receiver);
        var server = await StartAsync();
        await EndOneAsync(server, await AddAppAsync(server, "app", receiver.Address));

        Assert.Equal("tls", (await UntilAsync(server, stored => stored.Error is not null)).Error);
        Assert.Empty(receiver.TakeRest());
    }

    [Fact]
    public async Task In_production_nothing_is_told_in_the_clear()
    {
        var receiver = await ReceiveAsync();
        var server = await StartAsync(reachesLoopback: false);
        await EndOneAsync(server, await AddAppAsync(server, "app", receiver.Address));

        Assert.Equal("not_https", (await UntilAsync(server, stored => stored.Error is not null)).Error);
        Assert.Empty(receiver.TakeRest());
    }

    [Fact]
    public async Task After_a_day_it_is_given_up_which_is_seen_and_can_be_mended()
    {
        var receiver = await ReceiveAsync();
        receiver.AnswerWith(500);
        var server = await StartAsync();
        using var counted = new Counted();
        await EndOneAsync(server, await AddAppAsync(server, "app", receiver.Address));
        Assert.Contains("\"logout\":\"ok\"", (await server.FetchAsync("/health/ready", Ct)).Text, StringComparison.Ordinal);

        var pauses = new List<TimeSpan>();
        var notice = await UntilAsync(server, stored => stored.Error is not null);
        while (notice.DeadAt is null)
        {
            pauses.Add(notice.NextAttemptAt!.Value - server.Clock.GetUtcNow());
            var attempts = notice.Attempts;
            server.Clock.SetUtcNow(notice.NextAttemptAt.Value);
            notice = await UntilAsync(
                server,
                stored => stored.DeadAt is not null
                    || (stored.NextAttemptAt > server.Clock.GetUtcNow() && stored.NextAttemptAt != server.Clock.GetUtcNow().AddMinutes(1)
                        && stored.NextAttemptAt != notice.NextAttemptAt));
        }

        Assert.InRange(server.Clock.GetUtcNow() - notice.CreatedAt, TimeSpan.FromHours(22.5), TimeSpan.FromHours(24));
        Assert.InRange(pauses[^1], TimeSpan.FromMinutes(54), TimeSpan.FromMinutes(66));
        Assert.Equal("status_500", notice.Error);
        var audit = (await server.Services.GetRequiredService<IAuditLog>().LatestAsync(1, Ct))[0];
        Assert.Equal(
            (AuditTypes.LogoutGivenUp, "app", "undeliverable", "status_500"), (audit.Type, audit.ClientId, audit.Outcome, audit.Detail));
        await counted.UntilAsync("dead", 1);
        while (!(await server.FetchAsync("/health/ready", Ct)).Text.Contains("\"logout\":\"1 given up", StringComparison.Ordinal))
        {
            await Task.Delay(10, Ct);
        }

        Assert.Contains(("dead", 1L), counted.Gauge());
        var dead = Assert.Single(await NoticesOf(server).DeadAsync(10, Ct));
        receiver.TakeRest();

        receiver.AnswerWith(200);
        server.Clock.Advance(TimeSpan.FromMinutes(6));
        Assert.True(await NoticesOf(server).RetryAsync(dead.Id, server.Clock.GetUtcNow(), Audit(server), Ct));

        Assert.Equal(dead.Id, (await receiver.ReceiveAsync(Ct)).Jti);
        await UntilAsync(server, stored => stored is { DeliveredAt: not null, DeadAt: null });
        await counted.UntilAsync("delivered", 1);
    }

    [Fact]
    public async Task A_client_that_fails_is_asked_less_and_less_and_its_notices_wait_together()
    {
        var receiver = await ReceiveAsync();
        receiver.AnswerWith(500);
        var server = await StartAsync();
        var app = await AddAppAsync(server, "app", receiver.Address);
        for (var i = 0; i < 30; i++)
        {
            await EndOneAsync(server, app);
        }

        await UntilAllAsync(server, notices => notices.Count == 30 && notices.All(notice => notice.NextAttemptAt > server.Clock.GetUtcNow()));

        Assert.InRange(receiver.TakeRest().Count, 3, 6);

        // One call, then all of them.
        receiver.AnswerWith(200);
        server.Clock.Advance(TimeSpan.FromMinutes(6));
        await UntilAllAsync(server, notices => notices.Count == 30 && notices.All(notice => notice.DeliveredAt is not null));
        Assert.Equal(30, receiver.TakeRest().Count);
    }

    [Fact]
    public async Task What_waited_together_for_a_day_is_given_up_together()
    {
        const int Ended = 12;
        var receiver = await ReceiveAsync();
        receiver.AnswerWith(500);
        var server = await StartAsync();
        var app = await AddAppAsync(server, "app", receiver.Address);
        for (var i = 0; i < Ended; i++)
        {
            await EndOneAsync(server, app);
        }

        await UntilAllAsync(server, notices => notices.Count == Ended && notices.All(notice => notice.NextAttemptAt > server.Clock.GetUtcNow()));
        receiver.TakeRest();
        server.Clock.Advance(TimeSpan.FromHours(25));

        await UntilAllAsync(server, notices => notices.Count == Ended && notices.All(notice => notice.DeadAt is not null));
        Assert.InRange(receiver.TakeRest().Count, 1, 4);
        Assert.Equal(Ended, (await NoticesOf(server).DeadAsync(100, Ct)).Count);
    }

    [Fact]
    public async Task An_app_that_was_removed_is_told_nothing_more()
    {
        var server = await StartAsync();
        await EndOneAsync(server, await AddAppAsync(server, "app", LogoutReceiver.AddressAt(_port)));
        await UntilAsync(server, stored => stored.Error is not null);

        Assert.True(await server.RemoveClientAsync("app", Ct));
        await server.Services.GetRequiredService<Protocol.Changes.ChangeFeed>().PollAsync(Ct);
        server.Clock.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal("not_registered", (await UntilAsync(server, stored => stored.DeadAt is not null)).Error);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(11, 1024)]
    [InlineData(13, 3600)]
    [InlineData(1_000, 3600)]
    public void Pauses_double_from_a_second_to_an_hour_give_or_take_a_tenth(int attempts, int seconds)
    {
        var pauses = Enumerable.Range(0, 200).Select(_ => LogoutCourier.PauseAfter(attempts).TotalSeconds).ToArray();

        Assert.All(pauses, pause => Assert.InRange(pause, seconds * 0.9, seconds * 1.1));
        Assert.True(pauses.Distinct().Count() > 20);
    }

    private async Task<LogoutReceiver> ReceiveAsync()
    {
        var receiver = await LogoutReceiver.StartAsync(_port, Ct);
        _started.Add(receiver);
        return receiver;
    }

    private async Task<ServerFixture> StartAsync(bool reachesLoopback = true)
    {
        var server = await ServerFixture.StartAsync(Ct, services: services => services.AddSingleton(new LogoutReach(reachesLoopback)));
        _started.Add(server);
        _alice = await server.AddPersonAsync("alice", Ct);
        return server;
    }

    private static Task<RelyingParty> AddAppAsync(ServerFixture server, string id, string? backChannel, Func<Client, Client>? change = null) =>
        server.AddWebAppAsync(id, Ct, client => (change ?? (same => same))(client with { RequireConsent = false, BackChannelLogoutUri = backChannel }));

    /// <summary>A session with that app, ended; its id.</summary>
    private async Task<string> EndOneAsync(ServerFixture server, RelyingParty app)
    {
        var token = (await app.SignInAsync(_alice, "openid", Ct)).IdToken!;
        await server.Services.GetRequiredService<Revoker>().EndSessionAsync(
            token["sid"]!, token["sub"]!, alsoOffline: false, new Cause("test", "system", null), Ct);
        return token["sid"]!;
    }

    private static async Task SignOutAsync(ServerFixture server, Browser browser, Uri? asked = null, string reach = "browser")
    {
        var page = await browser.OpenAsync(asked ?? new Uri(server.Address, "/logout"), Ct);
        var form = page.Forms.First(form => Browser.Buttons(form).Any(button => button.GetAttribute("name") == "answer"));
        await browser.SubmitAsync(page, form, new Dictionary<string, string?> { ["reach"] = reach }, Browser.Buttons(form).First(), Ct);
    }

    private static NewPassword NewPasswordOf(ServerFixture server, string subject) => new()
    {
        PasswordHash = "not a hash",
        Audit = new AuditEvent(AuditTypes.PasswordChanged, server.Clock.GetUtcNow()) { Subject = subject },
    };

    private static AuditEvent Audit(ServerFixture server) => new(AuditTypes.LogoutRetried, server.Clock.GetUtcNow());

    private static ILogoutNotices NoticesOf(ServerFixture server) => server.Services.GetRequiredService<ILogoutNotices>();

    /// <summary>A notice that is so; the courier works beside the test.</summary>
    private static async Task<LogoutNotice> UntilAsync(ServerFixture server, Func<LogoutNotice, bool> isSo) =>
        (await UntilAllAsync(server, notices => notices.Any(isSo))).First(isSo);

    private static async Task<IReadOnlyList<LogoutNotice>> UntilAllAsync(
        ServerFixture server, Func<IReadOnlyList<LogoutNotice>, bool> areSo, string? receiptId = null)
    {
        IReadOnlyList<LogoutNotice> notices = [];
        for (var look = 0; look < 3000; look++)
        {
            var all = new List<LogoutNotice>();
            foreach (var receipt in await server.Services.GetRequiredService<IReceiptStore>().ListAsync(null, 200, Ct))
            {
                if (receiptId is null || receipt.Id == receiptId)
                {
                    all.AddRange(await NoticesOf(server).ListAsync(receipt.Id, Ct));
                }
            }

            notices = all;
            if (areSo(notices))
            {
                return notices;
            }

            await Task.Delay(10, Ct);
        }

        throw new CheckFailedException($"It never came to that: {string.Join('\n', notices)}\n{server.Log.Text}");
    }

    /// <summary>What is counted by results; other servers of this process count too.</summary>
    private sealed class Counted : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly List<string?> _results = [];
        private readonly List<(string? State, long Count)> _gauge = [];

        public Counted()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name is "identity_logout_notices_total" or "identity_logout_backlog")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
            {
                lock (_results)
                {
                    var tag = tags.Length == 1 ? tags[0].Value as string : null;
                    if (instrument.Name == "identity_logout_backlog")
                    {
                        _gauge.Add((tag, value));
                    }
                    else
                    {
                        _results.Add(tag);
                    }
                }
            });
            _listener.Start();
        }

        public async Task UntilAsync(string result, int times)
        {
            while (Of(result) < times)
            {
                await Task.Delay(10, Ct);
            }
        }

        public IReadOnlyList<(string? State, long Count)> Gauge()
        {
            _listener.RecordObservableInstruments();
            lock (_results)
            {
                return [.. _gauge];
            }
        }

        public void Dispose() => _listener.Dispose();

        private int Of(string result)
        {
            lock (_results)
            {
                return _results.Count(each => each == result);
            }
        }
    }
}
