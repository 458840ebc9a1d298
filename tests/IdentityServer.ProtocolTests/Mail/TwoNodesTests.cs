using System.Globalization;
using IdentityServer.Mail;
using IdentityServer.Storage.Mail;
using IdentityServer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.ProtocolTests.Mail;

/// <summary>Two nodes on one PostgreSQL.</summary>
public sealed class TwoNodesTests
{
    private const int Mails = 60;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_mail_is_sent_once_whichever_node_stored_it()
    {
        await using var postgres = await PostgresServer.StartAsync(durable: false, Ct);
        var database = await postgres.CreateDatabaseAsync(Ct);
        await using var mails = await MailServer.StartAsync(Ct);
        string? masterKey = null;
        await using var one = await StartAsync();
        await using var other = await StartAsync();
        ServerFixture[] nodes = [one, other];

        var stored = new List<string>();
        for (var i = 0; i < Mails; i++)
        {
            var services = nodes[i % 2].Services;
            var mail = services.GetRequiredService<MailComposer>()
                .Compose(MailKind.PasswordChanged, new($"person{i}@example.com", null, null, null), new())!;
            await services.GetRequiredService<IOutbox>().AddAsync(mail, Ct);
            stored.Add($"<{mail.Id}@127.0.0.1>");
            foreach (var node in nodes)
            {
                node.Services.GetRequiredService<MailBell>().Ring();
            }
        }

        var received = new List<string>();
        for (var i = 0; i < Mails; i++)
        {
            received.Add((await mails.ReceiveAsync(Ct)).MessageId);
        }

        while ((await one.Services.GetRequiredService<IOutbox>().CountAsync(DateTimeOffset.MinValue.AddYears(1), Ct)).Waiting > 0)
        {
            await Task.Delay(10, Ct);
        }

        Assert.Equal(stored.Order(StringComparer.Ordinal), received.Order(StringComparer.Ordinal));
        Assert.Empty(mails.TakeRest());

        Task<ServerFixture> StartAsync() => ServerFixture.StartAsync(Ct, settings =>
        {
            settings["IdentityServer:Database:Provider"] = "PostgreSql";
            settings["IdentityServer:Database:ConnectionString"] = database;
            settings["IdentityServer:MasterKey:Path"] = masterKey ??= settings["IdentityServer:MasterKey:Path"];
            settings["IdentityServer:Mail:From"] = "id@example.com";
            settings["IdentityServer:Mail:Smtp:Host"] = "127.0.0.1";
            settings["IdentityServer:Mail:Smtp:Port"] = mails.Port.ToString(CultureInfo.InvariantCulture);
            settings["IdentityServer:Mail:Smtp:Tls"] = "None";
        });
    }
}
