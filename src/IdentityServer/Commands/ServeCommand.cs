using System.CommandLine;

namespace IdentityServer.Commands;

/// <summary><c>serve</c></summary>
internal sealed class ServeCommand : Command
{
    public ServeCommand(Terminal terminal)
        : base("serve", "Run the server (the default).")
    {
        var urls = CommonOptions.One("--urls", "URLS", "Where to listen; several separated by semicolons. Default: ASPNETCORE_URLS, or http://localhost:5000.");
        Add(urls);
        SetAction((parsed, ct) => ServeAsync(terminal, parsed.GetResult(urls) is null ? null : parsed.GetValue(urls), ct));
    }

    private static Task<int> ServeAsync(Terminal terminal, string? urls, CancellationToken ct) =>
        throw CommandException.Refused($"not yet {terminal} {urls} {ct}");
}
