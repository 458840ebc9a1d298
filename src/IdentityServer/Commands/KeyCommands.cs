using System.CommandLine;
using System.Text.Json;
using IdentityServer.Protocol.Keys;

namespace IdentityServer.Commands;

/// <summary><c>keys list</c>; <see cref="RolloverCommands"/> and <see cref="MasterKeyCommands"/> are beside it.</summary>
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

        Add(list);
        foreach (var command in new RolloverCommands(terminal).All())
        {
            Add(command);
        }

        Add(new MasterKeyCommands(terminal));
    }

    private async Task<int> ListAsync(bool json, CancellationToken ct)
    {
        await using var session = await CommandSession.OpenCurrentAsync(ct);
        var now = session.Now;
        var entries = KeyEntry.List(await session.Get<IKeyStore>().LoadAsync(ct), session.Settings.Keys.ToPolicy(), session.Now);
        if (json)
        {
            _terminal.WriteJsonArray(entries, (writer, entry) => Write(writer, entry));
        }
        else
        {
            _terminal.WriteTable(
                "There are no keys yet; the server makes the first ones when it starts.",
                ["Kid", "Algorithm", "State", "Created", "Active from", "Retires", "Erased", "Master key"],
                entries.Select(entry => new[]
                {
                    entry.Key.Kid, entry.Key.Algorithm, Word(entry), CommonOptions.Shown(entry.Key.CreatedAt),
                    CommonOptions.Shown(entry.ActiveFrom), CommonOptions.Shown(entry.RetiresAt), CommonOptions.Shown(entry.Key.ErasedAt),
                    entry.Key.MasterKeyId,
                }));
        }

        return ExitCodes.Done;
    }

    internal static void Write(Utf8JsonWriter writer, KeyEntry entry, Action? writeMore = null)
    {
        writer.WriteStartObject();
        writer.WriteString("kid", entry.Key.Kid);
        writer.WriteString("alg", entry.Key.Algorithm);
        writer.WriteString("state", entry.State.ToString().ToLowerInvariant());
        CommonOptions.WriteInstant(writer, "createdAt", entry.Key.CreatedAt);
        CommonOptions.WriteInstant(writer, "activeFrom", entry.ActiveFrom);
        CommonOptions.WriteInstant(writer, "retiresAt", entry.RetiresAt);
        CommonOptions.WriteInstant(writer, "erasedAt", entry.Key.ErasedAt);
        writer.WriteString("masterKeyId", entry.Key.MasterKeyId);
        writeMore?.Invoke();
        writer.WriteEndObject();
    }

    internal static string Word(KeyEntry entry) => entry.State.ToString().ToLowerInvariant() + (entry.IsHeld ? ", held" : "");
}
