using IdentityServer.Layout;
using IdentityServer.Protocol.Authorize;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Storage.Factors;
using IdentityServer.Storage.SignIns;

namespace IdentityServer.SignIn;

/// <summary>Somebody in the middle of a sign-in, at one of the pages that ask for a further factor.</summary>
/// <param name="Partial">What was proven.</param>
/// <param name="Person">Who.</param>
/// <param name="Owned">What they have.</param>
/// <param name="Paused">The request that waits, if one does.</param>
/// <param name="Required">How strongly it wants them signed in.</param>
public sealed record PartialVisit(
    PartialSignIn Partial, Person Person, OwnedFactors Owned, PausedRequest? Paused, AcrRequirement Required)
{
    /// <summary>
    /// They may set up a factor here: those who have none, and those who showed one already. Otherwise a stolen password would be enough to
    /// add one's own.
    /// </summary>
    public bool MayEnrol => !Owned.HasAny || Partial.Amr.Contains(Amr.MultipleFactors, StringComparer.Ordinal);

    /// <summary>A code of an authenticator app leads on.</summary>
    public bool OffersApp => Owned.HasAuthenticator && (Helps(Amr.OneTimeCode) || !Owned.HasPasskey) && !IsShown(Amr.OneTimeCode);

    /// <summary>A passkey leads on.</summary>
    public bool OffersPasskey => Owned.HasPasskey && !IsShown(Amr.Key);

    /// <summary>A recovery code leads on.</summary>
    public bool OffersRecovery => Owned is { HasAny: true, RecoveryCodes: > 0 } && !IsShown(Amr.OneTimeCode);

    /// <summary>They may go on without: the session that they have stays as it is.</summary>
    public bool MayDecline => Partial.SessionId is not null && Paused is not null;

    // Also when it is no code that is missing, who has nothing else shows what they have: then they may add a passkey.
    private bool Helps(string method) => Required.IsMetBy(AcrValues.Of(Amr.Join(Partial.Amr, [method])));

    private bool IsShown(string method) => Partial.Amr.Contains(method, StringComparer.Ordinal);

    /// <summary>The page that asks first.</summary>
    public string FirstPage =>
        OffersApp ? "/login/code"
        : OffersPasskey ? "/login/passkey"
        : "/login/enrol";
}

/// <summary>Finds who stands at such a page.</summary>
public sealed class PartialVisits(PartialCookie cookie, People people, IFactors factors, PausedRequests requests)
{
    /// <summary>The visit; <see langword="null"/> when there is no sign-in under way, or its time is up.</summary>
    public async ValueTask<PartialVisit?> FindAsync(HttpContext http, string? handle, string? to, CancellationToken ct)
    {
        if (await cookie.FindAsync(http, ct) is not { } partial || await people.FindAsync(partial.Subject, ct) is not { } person)
        {
            return null;
        }

        var paused = await requests.FindAsync(handle, ct);
        var required = Links.LeadsToConsole(to) ? new AcrRequirement([AcrValues.Mfa], Minimum: null, IsEssential: true)
            : paused is { App: { } app } ? AuthorizeRequestReader.RequirementOf(app, paused.Request.Parameters)
            : AcrRequirement.None;
        return new PartialVisit(partial, person, await factors.FindAsync(partial.Subject, ct), paused, required);
    }
}
