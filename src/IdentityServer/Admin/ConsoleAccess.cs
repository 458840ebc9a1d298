using IdentityServer.Protocol.Sessions;
using IdentityServer.SignIn;
using IdentityServer.Storage.Users;

namespace IdentityServer.Admin;

/// <summary>Who may see the console, and who may change something there.</summary>
internal sealed class ConsoleAccess(SessionCookie cookie, People people, IMemberships memberships, TimeProvider clock)
{
    /// <summary>How long a proof of who somebody is counts for a change.</summary>
    public static readonly TimeSpan ProofLifetime = TimeSpan.FromMinutes(15);

    /// <summary>The browser's visitor; nobody when nobody is signed in.</summary>
    public async ValueTask<Visit?> FindAsync(HttpContext http, CancellationToken ct) =>
        await cookie.FindSessionAsync(http, ct) is { } session && await people.FindAsync(session.Subject, ct) is { } person
            ? new Visit(session, person, await memberships.RolesOfAsync(session.Subject, ct))
            : null;

    /// <summary>Two factors, a short while ago.</summary>
    public bool HasProof(Session session) => IsFresh(session) && AcrValues.Satisfies(session.Acr, AcrValues.Mfa);

    /// <summary>Whatever was proven was proven a short while ago: what lacks is a further factor.</summary>
    public bool IsFresh(Session session) => clock.GetUtcNow() - session.AuthenticatedAt < ProofLifetime;
}

/// <summary>Somebody at the console's door.</summary>
/// <param name="Session">Their session.</param>
/// <param name="Person">Who.</param>
/// <param name="Roles">What they are here.</param>
internal sealed record Visit(Session Session, Person Person, IReadOnlyList<string> Roles)
{
    /// <summary>As <see cref="Protocol.Audit.AuditEvent.Actor"/>.</summary>
    public string Actor => "user:" + Person.Subject;

    public bool May(AdminArea area) => Roles.Any(area.Roles.Contains);
}
