using IdentityServer.Admin;
using IdentityServer.Configuration;
using IdentityServer.Layout;
using IdentityServer.Protocol.Sessions;
using IdentityServer.SignIn;
using IdentityServer.Storage.Factors;
using IdentityServer.Storage.Users;

namespace IdentityServer.Account;

/// <summary>Whose account pages are shown, and what must be proven before something is changed there.</summary>
public sealed class AccountAccess(
    SessionCookie cookie, ICredentials credentials, IFactors factors, SignInSettings settings, TimeProvider clock)
{
    /// <summary>The browser's visitor; <see langword="null"/> when nobody is signed in.</summary>
    public async ValueTask<AccountVisit?> FindAsync(HttpContext http, CancellationToken ct) =>
        await cookie.FindSessionAsync(http, ct) is { } session
        && await credentials.FindBySubjectAsync(session.Subject, ct) is { User: { DisabledAt: null } user }
            ? new AccountVisit(session, user, await factors.FindAsync(session.Subject, ct))
            : null;

    /// <summary>Everything the person can prove was proven a short while ago (ASVS 7.5.1).</summary>
    public bool HasProof(AccountVisit visit) =>
        IsFresh(visit) && (!visit.Owned.HasAny || AcrValues.Satisfies(visit.Session.Acr, AcrValues.Mfa));

    /// <summary>Where to prove it: from the beginning, or only what lacks.</summary>
    /// <param name="request">The page's request.</param>
    /// <param name="visit">Who; <see langword="null"/>: nobody is signed in.</param>
    /// <param name="to">Where that leads, by name; see <see cref="Links.AfterSignIn"/>.</param>
    public string WayToProof(HttpRequest request, AccountVisit? visit, string to) =>
        visit is not null && IsFresh(visit) ? Links.StepUpTo(request, to) : Links.LoginTo(request, to);

    /// <summary>The last factor stays: somebody says that this person has one, or there is no other way in.</summary>
    public bool MustKeepFactor(AccountVisit visit) =>
        settings.RequireSecondFactor || visit.User.RequiresSecondFactor || visit.User.PasswordHash is null;

    private bool IsFresh(AccountVisit visit) =>
        clock.GetUtcNow() - visit.Session.AuthenticatedAt < ConsoleAccess.ProofLifetime;
}

/// <summary>Somebody at their own account pages.</summary>
/// <param name="Session">Their session.</param>
/// <param name="User">Who.</param>
/// <param name="Owned">What they have beside a password.</param>
public sealed record AccountVisit(Session Session, User User, OwnedFactors Owned)
{
    public string Subject => Session.Subject;

    /// <summary>The whole name, or the user name when there is none.</summary>
    public string Name => User.Name ?? User.UserName!;
}
