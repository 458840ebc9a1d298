using IdentityServer.Configuration;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Scopes;
using IdentityServer.Storage.Users;

namespace IdentityServer.FirstRun;

/// <summary>Puts the demo into an empty database, once.</summary>
public sealed class DemoSeed(IClientStore clients, IScopeStore scopes, Lazy<Users> users, ServerSettings settings, TimeProvider clock)
{
    /// <summary>True when the database holds the demo now.</summary>
    public async Task<bool> EnsureAsync(CancellationToken ct)
    {
        if (await clients.FindAsync(Demo.SpaClient, ct) is { } playground)
        {
            await FollowIssuerAsync(playground, ct);
            await CompleteAsync(ct);
            return true;
        }

        // A start that was killed half-way left some of the demo behind; anything else is somebody's own work.
        var people = (await users.Value.ListAsync(ct)).Select(entry => entry.User.UserName).ToArray();
        var demoClients = Demo.Clients(settings.Issuer, clock.GetUtcNow());
        if (people.Except(Demo.People.Select(person => person.UserName), StringComparer.Ordinal).Any()
            || (await clients.ListAsync(ct)).Any(client => demoClients.All(demo => demo.Id != client.Id)))
        {
            return false;
        }

        await AddAsync(people, demoClients, ct);
        return true;
    }

    private async Task AddAsync(string?[] present, IReadOnlyList<Client> demoClients, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        foreach (var person in Demo.People.Where(person => !present.Contains(person.UserName)))
        {
            var user = new User(person.UserName) { Name = person.Name, Email = person.Email, EmailConfirmed = true };
            var added = await users.Value.AddAsync(
                user, person.Password, person.IsAdmin ? [Roles.Admin] : [], new AuditEvent(AuditTypes.UserAdded, now), ct);
            if (!added.Succeeded)
            {
                throw new InvalidOperationException(
                    $"The demo's {person.UserName} was refused: {string.Join(" ", added.Errors.Select(error => error.Description))}");
            }
        }

        foreach (var scope in Demo.Scopes)
        {
            await scopes.AddScopeAsync(scope, new AuditEvent(AuditTypes.ScopeAdded, now) { Detail = scope.Name }, ct);
        }

        await scopes.AddApiAsync(Demo.OrdersApi, new AuditEvent(AuditTypes.ApiAdded, now) { Detail = Demo.Api }, ct);

        // The playground's client comes last: it is what says that the demo is complete.
        foreach (var client in demoClients.OrderBy(client => client.Id == Demo.SpaClient))
        {
            await clients.AddAsync(client, new AuditEvent(AuditTypes.ClientAdded, now) { ClientId = client.Id }, ct);
        }
    }

    // A demo of an earlier version: its API had no client.
    private async Task CompleteAsync(CancellationToken ct)
    {
        if (await clients.FindAsync(Demo.Api, ct) is null)
        {
            var now = clock.GetUtcNow();
            await clients.AddAsync(Demo.ApiClient(now), new AuditEvent(AuditTypes.ClientAdded, now) { ClientId = Demo.Api }, ct);
        }
    }

    // A developer starts on one port today and on another tomorrow.
    private async Task FollowIssuerAsync(Client playground, CancellationToken ct)
    {
        var callback = Demo.PlaygroundCallback(settings.Issuer);
        if (!playground.RedirectUris.Contains(callback))
        {
            var moved = playground with
            {
                RedirectUris = [.. playground.RedirectUris, callback],
                PostLogoutRedirectUris = [.. playground.PostLogoutRedirectUris, callback],
            };
            await clients.UpdateAsync(
                moved, new AuditEvent(AuditTypes.ClientChanged, clock.GetUtcNow()) { ClientId = moved.Id, Detail = "redirect URI added" }, ct);
        }
    }
}
