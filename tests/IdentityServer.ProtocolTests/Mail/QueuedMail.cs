using IdentityServer.Mail;
using IdentityServer.Storage.Mail;
using IdentityServer.Testing;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.ProtocolTests.Mail;

/// <summary>Stores mails for servers in processes of their own, as one of them would: on the same database and master key.</summary>
internal static class QueuedMail
{
    public static async Task<string[]> AddAsync(ServerFolder folder, CancellationToken ct, params (MailKind Kind, MailValues Values)[] mails)
    {
        var ids = new List<string>();
        await using (var server = await ServerFixture.StartAsync(ct, settings => Use(folder, settings)))
        {
            foreach (var (kind, values) in mails)
            {
                var mail = server.Services.GetRequiredService<MailComposer>()
                    .Compose(kind, new("alice@example.com", "sub", "Alice 爱丽丝", "en"), values)!;
                ids.Add(mail.Id);

                // Not for this one to send.
                await server.Services.GetRequiredService<IOutbox>().AddAsync(mail with { NextAttemptAt = mail.CreatedAt.AddHours(1) }, ct);
                server.Clock.Advance(TimeSpan.FromSeconds(1));
            }
        }

        await using var connection = new SqliteConnection($"Data Source={folder.Path}/server.db;Pooling=False");
        await connection.OpenAsync(ct);
        await using var command = connection.CreateCommand();
        command.CommandText = """UPDATE "OutboxMails" SET "NextAttemptAt" = "CreatedAt" """;
        await command.ExecuteNonQueryAsync(ct);
        return [.. ids];
    }

    private static void Use(ServerFolder folder, IDictionary<string, string?> settings)
    {
        foreach (var (name, value) in folder.Environment.Where(pair => pair.Key.StartsWith("IdentityServer__", StringComparison.Ordinal)))
        {
            settings[name.Replace("__", ":", StringComparison.Ordinal)] = value;
        }

        settings["IdentityServer:Mail:From"] = "id@example.com";
        settings["IdentityServer:Mail:Smtp:Host"] = "127.0.0.1";
    }
}
