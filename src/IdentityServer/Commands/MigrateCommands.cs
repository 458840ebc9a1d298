using System.CommandLine;
using IdentityServer.Storage.Schema;

namespace IdentityServer.Commands;

/// <summary><c>migrate up|status</c></summary>
internal sealed class MigrateCommands : Command
{
    private readonly Terminal _terminal;

    public MigrateCommands(Terminal terminal)
        : base("migrate", "Compare the database's schema with this server's, or bring it up.")
    {
        _terminal = terminal;
        var up = new Command("up", "Apply what is missing. Safe to repeat, and from several places at once.");
        up.SetAction((_, ct) => UpAsync(ct));
        var status = new Command("status", "Show which migrations are applied; ends with 3 when the schema is not current.");
        status.SetAction((_, ct) => StatusAsync(ct));
        Add(up);
        Add(status);
    }

    private async Task<int> UpAsync(CancellationToken ct)
    {
        await using var session = CommandSession.Open();
        var schema = session.Get<DatabaseSchema>();
        var before = await schema.StatusAsync(ct);
        if (before.IsNewer)
        {
            throw new CommandException(
                ExitCodes.Database,
                $"The database was migrated by a newer server (it has {string.Join(", ", before.Unknown)}). Use that version.");
        }

        await schema.MigrateAsync(ct);
        foreach (var migration in before.Pending)
        {
            _terminal.Say($"Applied {migration}.");
        }

        _terminal.Say($"The schema is current ({session.Settings.Database.Provider}).");
        return ExitCodes.Done;
    }

    private async Task<int> StatusAsync(CancellationToken ct)
    {
        await using var session = CommandSession.Open();
        var status = await session.Get<DatabaseSchema>().StatusAsync(ct);
        _terminal.WriteTable(
            "No migrations.",
            ["Migration", "State"],
            status.Applied.Except(status.Unknown, StringComparer.Ordinal).Select(name => new[] { name, "applied" })
                .Concat(status.Unknown.Select(name => new[] { name, "applied, unknown to this server" }))
                .Concat(status.Pending.Select(name => new[] { name, "pending" })));
        _terminal.Say(
            status.IsCurrent ? $"The schema is current ({session.Settings.Database.Provider})."
            : status.IsNewer ? "The database is newer than this server. Use the version that migrated it."
            : "Run: identityserver migrate up");
        return status.IsCurrent ? ExitCodes.Done : ExitCodes.Database;
    }
}
