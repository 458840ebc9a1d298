using System.CommandLine;
using IdentityServer.FirstRun;
using Microsoft.AspNetCore.Connections;

namespace IdentityServer.Commands;

/// <summary><c>serve</c></summary>
internal sealed class ServeCommand : Command
{
    private readonly Terminal _terminal;

    public ServeCommand(Terminal terminal)
        : base("serve", "Run the server. The default.")
    {
        _terminal = terminal;
        var urls = CommonOptions.One(
            "--urls", "URLS", "Where to listen; several separated by semicolons. Default: ASPNETCORE_URLS, or http://localhost:5000.");
        Add(urls);
        SetAction((parsed, ct) => ServeAsync(parsed.GetResult(urls) is null ? null : parsed.GetValue(urls), ct));
    }

    private async Task<int> ServeAsync(string? urls, CancellationToken ct)
    {
        await using var app = ServerHost.Build(urls is null ? [] : ["--urls", urls]);
        await ServerHost.PrepareAsync(app, ct);
        var greeting = await GreetingAsync(app, ct);
        try
        {
            await app.StartAsync(ct);
        }
        catch (IOException error) when (error.InnerException is AddressInUseException)
        {
            throw CommandException.Refused($"{error.Message} Choose another with --urls or ASPNETCORE_URLS.");
        }

        // Not through the logger: it may hold the set-up link.
        _terminal.Say(greeting);
        await app.WaitForShutdownAsync(ct);
        return ExitCodes.Done;
    }

    private static async Task<string> GreetingAsync(WebApplication app, CancellationToken ct)
    {
        await using var scope = app.Services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<FirstStart>().PrepareAsync(ct);
    }
}
