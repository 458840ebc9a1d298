using System.CommandLine;
using IdentityServer.Configuration;
using IdentityServer.Keys;

namespace IdentityServer.Commands;

/// <summary><c>keys master-key new|rotate</c></summary>
internal sealed class MasterKeyCommands : Command
{
    private readonly Terminal _terminal;

    public MasterKeyCommands(Terminal terminal)
        : base("master-key", "The operator's secret that seals every private key in the database.")
    {
        _terminal = terminal;
        var path = new Argument<string?>("PATH")
        {
            Description = "The file to write. Default: the path in the setting IdentityServer:MasterKey:Path.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var make = new Command("new", "Make a master key in a new file that only you can read.") { path };
        make.SetAction(parsed => New(parsed.GetValue(path)));

        var json = CommonOptions.Json();
        var rotate = new Command("rotate", "Seal anew, under the current master key, what a previous one sealed. Safe to repeat.") { json };
        rotate.SetAction((parsed, ct) => RotateAsync(parsed.GetValue(json), ct));

        Add(make);
        Add(rotate);
    }

    private int New(string? path)
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

        if (MasterKeyPfx.HasItsName(target))
        {
            throw CommandException.Refused($"{target} would be taken for a PKCS#12 file, and a master key is made in PEM. Choose another name.");
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

    private async Task<int> RotateAsync(bool json, CancellationToken ct)
    {
        await using var session = await CommandSession.OpenCurrentAsync(ct);
        await session.Get<MasterKeyLoader>().LoadAsync(ct);
        var result = await session.Get<Resealing>().RunAsync("cli", ct);
        if (json)
        {
            WriteJson(result);
        }
        else
        {
            _terminal.Say($"Sealed anew under master key {result.MasterKeyId}:");
            _terminal.WriteFacts(
            [
                ("signing keys", $"{result.SigningKeys}"),
                ("Data Protection keys", $"{result.DataProtectionKeys}"),
            ]);
        }

        if (result.Closed.Count > 0)
        {
            _terminal.Hint(
                $"""
                These do not open and were left as they are:

                {SealedKeys.Describe(result.Closed)}

                {MasterKeyLoader.Advice(result.Closed)}
                """);
            return ExitCodes.MasterKey;
        }

        _terminal.Hint("Everything is sealed under it now. Once every node runs with it, the settings of IdentityServer:MasterKey:Previous can go.");
        return ExitCodes.Done;
    }

    private void WriteJson(ResealingResult result) => _terminal.WriteJson(writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("masterKeyId", result.MasterKeyId);
        writer.WriteNumber("signingKeys", result.SigningKeys);
        writer.WriteNumber("dataProtectionKeys", result.DataProtectionKeys);
        writer.WriteStartArray("closed");
        foreach (var key in result.Closed)
        {
            writer.WriteStartObject();
            writer.WriteString("kind", key.Kind == SealedKeyKind.Signing ? "signing" : "data_protection");
            writer.WriteString("id", key.Id);
            writer.WriteString("alg", key.Algorithm);
            writer.WriteString("masterKeyId", key.MasterKeyId);
            writer.WriteString("fault", key.Fault);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    });
}
