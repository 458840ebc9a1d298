using IdentityServer.Configuration;
using IdentityServer.Protocol.Clients;
using IdentityServer.Storage.Users;

namespace IdentityServer.FirstRun;

/// <summary>What a start does for whoever runs the server for the first time, and what it tells them.</summary>
public sealed class FirstStart(
    DemoSeed demo, SetupInvitation invitation, IClientStore clients, ServerSettings settings, IHostEnvironment environment)
{
    /// <summary>Readies the database and answers what to print on the console; it may hold the set-up link, so it never goes to a log.</summary>
    /// <exception cref="StartException">The database holds the demo, and this is not Development.</exception>
    public async Task<string> PrepareAsync(CancellationToken ct)
    {
        var lines = new List<string> { "", $"IdentityServer is at {settings.Issuer} ({environment.EnvironmentName})" };
        if (environment.IsDevelopment() && await demo.EnsureAsync(ct))
        {
            lines.AddRange(Description());
        }
        else if (!environment.IsDevelopment())
        {
            await RefuseDemoAsync(ct);
        }

        if (await invitation.CreateAsync(ct) is { } link)
        {
            lines.AddRange(
                ["", "There is no admin yet. Within 30 minutes, open this link once to become the first:", "", $"  {link}"]);
        }

        return string.Join(Environment.NewLine, lines) + Environment.NewLine;
    }

    private async Task RefuseDemoAsync(CancellationToken ct)
    {
        var known = (await clients.ListAsync(ct)).Where(Demo.HasKnownSecret).Select(client => client.Id).ToArray();
        if (known.Length > 0)
        {
            throw new StartException(
                $"This database holds the demo of Development (clients {string.Join(", ", known)}): its secrets and passwords are known to "
                + $"everyone, and the environment is {environment.EnvironmentName}. Start on an empty database.");
        }
    }

    private IEnumerable<string> Description() =>
    [
        "",
        "Sign in as",
        .. Demo.People.Select(person => $"  {person.UserName,-6}{person.Password}{(person.IsAdmin ? "  (admin)" : "")}"),
        "",
        "Try",
        $"  open {settings.Issuer}/playground",
        $"  curl -s -u {Demo.ServiceClient}:{Demo.ServiceSecret} -d grant_type=client_credentials -d scope=orders.read {settings.Issuer}/connect/token",
        $"  {Program} keys list",
        "",
        $"The sample web app, client {Demo.WebClient}, has the secret {Demo.WebSecret}",
    ];

    private string Program => File.Exists(Path.Combine(environment.ContentRootPath, "IdentityServer.csproj"))
        ? "dotnet run --project src/IdentityServer --"
        : "identityserver";
}

/// <summary>Registers the first start.</summary>
public static class FirstRunServices
{
    public static IServiceCollection AddFirstRun(this IServiceCollection services) => services
        // Lazy: people stand on EF Core, and a start that adds nobody is faster without waking it.
        .AddScoped(provider => new Lazy<Users>(provider.GetRequiredService<Users>))
        .AddScoped<DemoSeed>()
        .AddScoped<SetupInvitation>()
        .AddScoped<FirstStart>();
}
