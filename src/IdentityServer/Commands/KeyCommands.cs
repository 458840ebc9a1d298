using System.CommandLine;
using System.Text.Json;
using IdentityServer.Configuration;
using IdentityServer.Keys;
using IdentityServer.Protocol.Keys;

namespace IdentityServer.Commands;

/// <summary><c>keys list</c>, <c>keys master-key new</c></summary>
internal sealed class KeyCommands : Command
{
    private readonly Terminal _terminal;

    public KeyCommands(Terminal terminal)
        : base("keys", "Signing keys, and the master key that seals them.")
    {
        _terminal = terminal;
        var json = CommonOptions.Json();
        var list = new Command("list", "List the signing keys with their state at this moment.") { json };
        list.SetAction((parsed, ct) => ListAsync(parsed.GetValue(json), ct));

        var path = new Argument<string?>("PATH")
        {
            Description = "The file to write. Default: the path in the setting IdentityServer:MasterKey:Path.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var make = new Command("new", "Make a master key in a new file that only you can read.") { path };
        make.SetAction(parsed => NewMasterKey(parsed.GetValue(path)));

        Add(list);
        Add(new Command("master-key", "The operator's secret that seals every private key in the database.") { make });
    }

    private async Task<int> ListAsync(bool json, CancellationToken ct)
    {
        await using var session = await CommandSession.OpenCurrentAsync(ct);
        var now = session.Now;
        var entries = KeyEntry.List(await session.Get<IKeyStore>().LoadAsync(ct), session.Settings.Keys.ToPolicy(), session.Now);
        if (json)
        {
            _terminal.WriteJsonArray(entries, Write);
        }
        else
        {
            _terminal.WriteTable(
                "There are no keys yet; the server makes the first ones when it starts.",
                ["Kid", "Algorithm", "State", "Created", "Active from", "Retires", "Erased", "Master key"],
                entries.Select(entry => new[]
                {
                    entry.Key.Kid, entry.Key.Algorithm, Word(entry.State), CommonOptions.Shown(entry.Key.CreatedAt),
                    CommonOptions.Shown(entry.ActiveFrom), CommonOptions.Shown(entry.RetiresAt), CommonOptions.Shown(entry.Key.ErasedAt),
                    entry.Key.MasterKeyId,
                }));
        }

        return ExitCodes.Done;
    }

    private int NewMasterKey(string? path)
    {
        // No other setting need be right yet: this is among the first things one does.
        var builder = ServerFolders.CommandBuilder();
        var target = path is { Length: > 0 } ? Path.GetFullPath(path)
            : builder.Configuration["IdentityServer:MasterKey:Path"] is { Length: > 0 } configured
                ? Path.GetFullPath(configured, builder.Environment.ContentRootPath)
                : throw CommandException.Usage("Name the file to write: identityserver keys master-key new PATH");

        var key = MasterKey.Create(isForDevelopment: false);
        if (MasterKeyFile.IsInDevelopmentFolder(target))
        {
            throw CommandException.Refused($"{target} lies in keys-dev, which only Development may use. Choose another folder.");
        }

        if (!MasterKeyFile.TryWriteNew(target, key))
        {
            throw CommandException.Refused($"{target} exists already. A master key is never overwritten: what it sealed would be lost.");
        }

        _terminal.Say($"Master key {key.Id} written to {target} (readable by its owner only).");
        _terminal.Say("");
        _terminal.Say("  1. Point the server to it:  IdentityServer__MasterKey__Path=" + target);
        _terminal.Say("     Every node of one database needs the same file, owned by the user the server runs as.");
        _terminal.Say("  2. Back it up now, apart from the database. Without it the signing keys cannot be opened, and every app must");
        _terminal.Say("     be sent new ones; whoever has both can sign tokens in your name.");
        return ExitCodes.Done;
    }

    private static void Write(Utf8JsonWriter writer, KeyEntry entry)
    {
        writer.WriteStartObject();
        writer.WriteString("kid", entry.Key.Kid);
        writer.WriteString("alg", entry.Key.Algorithm);
        writer.WriteString("state", Word(entry.State));
        CommonOptions.WriteInstant(writer, "createdAt", entry.Key.CreatedAt);
        CommonOptions.WriteInstant(writer, "activeFrom", entry.ActiveFrom);
        CommonOptions.WriteInstant(writer, "retiresAt", entry.RetiresAt);
        CommonOptions.WriteInstant(writer, "erasedAt", entry.Key.ErasedAt);
        writer.WriteString("masterKeyId", entry.Key.MasterKeyId);
        writer.WriteEndObject();
    }

    private static string Word(KeyState state) => state.ToString().ToLowerInvariant();
}
