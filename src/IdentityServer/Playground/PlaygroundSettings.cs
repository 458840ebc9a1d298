using IdentityServer.FirstRun;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Clients;

namespace IdentityServer.Playground;

/// <summary>What the page must know to play the demo's clients.</summary>
/// <param name="Issuer">The server it talks to.</param>
/// <param name="CodeLifetime">Seconds.</param>
/// <param name="Person">The app that signs people in; <see langword="null"/> when the database does not hold the demo.</param>
/// <param name="Service">The service that acts for itself.</param>
/// <param name="People">Whom the demo lets sign in.</param>
internal sealed record PlaygroundSettings(
    string Issuer, int CodeLifetime, PersonApp? Person, ServiceApp? Service, IReadOnlyList<SignInHint> People)
{
    public static async Task<PlaygroundSettings> ReadAsync(ProtocolOptions options, ClientDirectory clients, CancellationToken ct)
    {
        // As registered at this moment: whoever changes the demo's clients sees the change here.
        var person = await clients.FindAsync(Demo.SpaClient, ct);
        var service = await clients.FindAsync(Demo.ServiceClient, ct);
        var callback = Demo.PlaygroundCallback(options.Issuer);
        return new(
            options.Issuer,
            (int)options.CodeLifetime.TotalSeconds,
            person is null ? null : new(person.Id, callback, callback, Ordered(person)),
            service is null ? null : new(service.Id, Demo.ServiceSecret, Ordered(service)),
            person is null ? [] : [.. Demo.People.Select(known => new SignInHint(known.UserName, known.Password))]);
    }

    private static string[] Ordered(Client client) =>
        [.. client.Scopes.OrderBy(scope => scope != "openid").ThenBy(scope => scope.Contains('.', StringComparison.Ordinal)).ThenBy(scope => scope, StringComparer.Ordinal)];
}

internal sealed record PersonApp(string ClientId, string RedirectUri, string PostLogoutRedirectUri, IReadOnlyList<string> Scopes);

internal sealed record ServiceApp(string ClientId, string Secret, IReadOnlyList<string> Scopes);

internal sealed record SignInHint(string UserName, string Password);
