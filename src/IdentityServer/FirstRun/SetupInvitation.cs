using IdentityServer.Configuration;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Audit;
using IdentityServer.Storage.Users;

namespace IdentityServer.FirstRun;

/// <summary>The one-time link by which the first admin is made. Each start without an admin makes a new one.</summary>
public sealed class SetupInvitation(ISetupLinks links, ServerSettings settings, TimeProvider clock)
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(30);

    /// <summary>The link, or <see langword="null"/> when there is an admin. Whoever holds it owns the server: it goes to the console only.</summary>
    public async Task<string?> CreateAsync(CancellationToken ct)
    {
        if (!await links.AreNeededAsync(ct))
        {
            return null;
        }

        var now = clock.GetUtcNow();
        var handle = Handle.Create();
        await links.CreateAsync(handle.Hash, now, now + Lifetime, new AuditEvent(AuditTypes.SetupLinkMade, now), ct);
        return $"{settings.Issuer}/setup?code={handle.Text}";
    }
}
