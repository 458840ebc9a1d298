using IdentityServer.Protocol.Pending;
using IdentityServer.Protocol.Sessions;

namespace IdentityServer.Protocol.Authorize;

/// <summary>What must happen before a code may be issued (OpenID Connect Core §3.1.2.3, §3.1.2.4).</summary>
public abstract record NextStep
{
    private NextStep() { }

    public sealed record SignIn : NextStep;

    public sealed record ChooseAccount : NextStep;

    /// <summary>Who is signed in proves it by a further factor (RFC 9470).</summary>
    public sealed record StepUp : NextStep;

    public sealed record AskConsent : NextStep;

    public sealed record Refuse(ProtocolError Error) : NextStep;

    public sealed record Proceed(Session Session, IReadOnlyList<string> Scopes) : NextStep;

    /// <summary>Pure: the same request, session, answers and instant always give the same step.</summary>
    /// <param name="request">The checked request.</param>
    /// <param name="session">The browser's live session, if any.</param>
    /// <param name="consented">What the person allowed this client before.</param>
    /// <param name="pending">What the person answered while the request was paused.</param>
    /// <param name="now">The instant.</param>
    public static NextStep Decide(
        AuthorizeRequest request, Session? session, IReadOnlyList<string> consented, PendingRequest? pending, DateTimeOffset now)
    {
        // 1 somebody is signed in, recently enough
        if (session is null || !IsFresh(session, request, now))
        {
            return request.IsSilent ? new Refuse(LoginRequired) : new SignIn();
        }

        // 2 it is the person the app expects
        var signedInForThis = session.AuthenticatedAt >= request.StartedAt;
        if (request.ExpectedSubject is { } expected && expected != session.Subject)
        {
            return request.IsSilent || signedInForThis ? new Refuse(LoginRequired) : new SignIn();
        }

        // 3 the person chose this account
        if (request.ForcesChoice && !signedInForThis && pending?.ChosenSessionId != session.Id)
        {
            return request.IsSilent ? new Refuse(AccountSelectionRequired) : new ChooseAccount();
        }

        // 4 strongly enough; a person who wants no more than that may still go where nobody insists
        if (!request.RequiredAcr.IsMetBy(session.Acr))
        {
            if (request.IsSilent)
            {
                return new Refuse(LoginRequired);
            }

            if (pending?.DeclinedSessionId != session.Id)
            {
                return new StepUp();
            }

            if (!request.RequiredAcr.MayProceedWith(session.Acr))
            {
                return new Refuse(UnmetRequirements);
            }
        }

        // 5 the person agrees
        if (pending?.AnsweredSessionId == session.Id)
        {
            var allowed = request.Scopes.Where(scope => pending.AllowedScopes.Contains(scope, StringComparer.Ordinal)).ToArray();
            return allowed.Length == 0 ? new Refuse(AccessDenied) : new Proceed(session, allowed);
        }

        var isMissing = request.Client.RequireConsent && request.Scopes.Except(consented, StringComparer.Ordinal).Any();
        if (isMissing || request.ForcesConsent)
        {
            return request.IsSilent ? new Refuse(ConsentRequired) : new AskConsent();
        }

        return new Proceed(session, request.Scopes);
    }

    // A sign-in that happened after the request began satisfies prompt=login and max_age=0 without looping.
    private static bool IsFresh(Session session, AuthorizeRequest request, DateTimeOffset now) =>
        session.AuthenticatedAt >= request.StartedAt
        || (!request.ForcesSignIn && (request.MaxAge is not { } age || now - session.AuthenticatedAt <= age));

    private static readonly ProtocolError LoginRequired = new("login_required", "The person is not signed in.");
    private static readonly ProtocolError UnmetRequirements =
        new("unmet_authentication_requirements", "The person did not sign in as strongly as required.");

    private static readonly ProtocolError AccountSelectionRequired = new("account_selection_required", "The person must choose an account.");
    private static readonly ProtocolError ConsentRequired = new("consent_required", "The person has not consented.");
    private static readonly ProtocolError AccessDenied = new("access_denied", "The person did not allow the request.");
}
