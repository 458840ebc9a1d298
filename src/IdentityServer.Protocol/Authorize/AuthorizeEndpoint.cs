using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Consents;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Pending;
using IdentityServer.Protocol.Scopes;
using IdentityServer.Protocol.Sessions;

namespace IdentityServer.Protocol.Authorize;

/// <summary>
/// The authorization endpoint (RFC 6749 §3.1, OpenID Connect Core §3.1.2). The only place that decides what comes next; our
/// pages do one thing each and come back to <see cref="ResumeAsync"/>.
/// </summary>
public sealed class AuthorizeEndpoint(
    AuthorizeRequestReader reader,
    PendingRequests pendingRequests,
    ISessionStore sessions,
    IConsentStore consents,
    IGrantStore grants,
    ProtocolOptions options,
    TimeProvider clock)
{
    public async ValueTask<ProtocolResponse> HandleAsync(OAuthRequest request, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        if (request.Method != "POST")
        {
            return await RunAsync(request, request.Parameters, now, pending: null, handle: null, ct);
        }

        // A form post from another site does not carry our SameSite cookie: come back by a navigation that does.
        var address = await reader.ReadAddressAsync(request.Parameters, ct);
        if (!address.TryGet(out var trusted, out var error))
        {
            return new ProtocolResponse.ErrorPage(error, request.Parameters["client_id"]);
        }

        var handle = await pendingRequests.SaveAsync(request.Parameters, trusted.Client.Id, now, ct);
        return new ProtocolResponse.Redirect(ResumeAddress(handle));
    }

    /// <summary>A page did its part: decide again.</summary>
    public async ValueTask<ProtocolResponse> ResumeAsync(OAuthRequest request, CancellationToken ct)
    {
        var handle = request.Parameters["handle"];
        return await pendingRequests.FindAsync(handle, ct) is { } pending
            ? await RunAsync(request, new Parameters(pending.Parameters), pending.StartedAt, pending, handle, ct)
            : new ProtocolResponse.ErrorPage(
                ProtocolError.InvalidRequest("This sign-in has ended or waited too long. Start again from the app.", "handle"));
    }

    private string ResumeAddress(string handle) => $"{options.Issuer}{Endpoints.AuthorizeResume}?handle={handle}";

    private async ValueTask<ProtocolResponse> RunAsync(
        OAuthRequest http, Parameters parameters, DateTimeOffset startedAt, PendingRequest? pending, string? handle, CancellationToken ct)
    {
        // 1 read: before client and address are trusted an error stays here, after that it goes to the client
        var address = await reader.ReadAddressAsync(parameters, ct);
        if (!address.TryGet(out var trusted, out var error))
        {
            return new ProtocolResponse.ErrorPage(error, parameters["client_id"]);
        }

        var read = await reader.ReadAsync(trusted, parameters, startedAt);
        if (!read.TryGet(out var request, out error))
        {
            return Refuse(trusted.ReturnTo, error);
        }

        // 2 decide
        var now = clock.GetUtcNow();
        var session = await FindSessionAsync(http, now, ct);
        var consented = session is not null && request.Client.RequireConsent
            ? await consents.FindAsync(session.Subject, request.Client.Id, ct)
            : null;
        var next = NextStep.Decide(request, session, consented?.Scopes ?? [], pending, now);

        // 3 do
        switch (next)
        {
            case NextStep.Refuse refused:
                await FinishAsync(pending, ct);
                return Refuse(request.ReturnTo, refused.Error);
            case NextStep.Proceed proceed when await OpenAsync(request, proceed, http.Address, now, ct) is { } code:
                await FinishAsync(pending, ct);
                return Answer(request.ReturnTo, [KeyValuePair.Create("code", code)]);
            case NextStep.Proceed when request.IsSilent:
                return Refuse(request.ReturnTo, new ProtocolError("login_required", "The person is not signed in."));
            default:
                handle ??= await pendingRequests.SaveAsync(parameters, request.Client.Id, startedAt, ct);

                // Our pages say so when the person switched the language there.
                return new ProtocolResponse.Page(PageOf(next), handle, http.Parameters["ui_locales"] ?? request.UiLocales);
        }
    }

    private static HostedPage PageOf(NextStep next) => next switch
    {
        NextStep.AskConsent => HostedPage.Consent,
        NextStep.ChooseAccount => HostedPage.ChooseAccount,
        NextStep.StepUp => HostedPage.StepUp,

        // Also when the session ended while we were deciding.
        _ => HostedPage.SignIn,
    };

    private async ValueTask<Session?> FindSessionAsync(OAuthRequest http, DateTimeOffset now, CancellationToken ct)
    {
        if (http.SessionHandle is not { Length: 43 } handle
            || await sessions.FindByHandleAsync(Handle.HashOf(handle), ct) is not { } session
            || !session.IsLive(now))
        {
            return null;
        }

        // Signing on to another app is activity too.
        if (session.IsToBeTouched(now))
        {
            await sessions.TouchAsync(session.Id, now, ct);
        }

        return session;
    }

    /// <summary>Opens the grant and answers the code; <see langword="null"/> when the session ended meanwhile.</summary>
    private async ValueTask<string?> OpenAsync(
        AuthorizeRequest request, NextStep.Proceed proceed, string? address, DateTimeOffset now, CancellationToken ct)
    {
        var (session, scopes) = proceed;
        var client = request.Client;
        var isOffline = scopes.Contains(StandardScopes.OfflineAccess, StringComparer.Ordinal);
        var absolute = now + client.RefreshAbsoluteLifetime;
        var grant = new Grant
        {
            Id = Handle.NewId(),
            ClientId = client.Id,
            Subject = session.Subject,
            SessionId = session.Id,
            Scopes = scopes,
            GrantedAt = now,
            ExpiresAt = isOffline || absolute < session.ExpiresAt ? absolute : session.ExpiresAt,
            IsOffline = isOffline,
            AuthenticatedAt = session.AuthenticatedAt,
            Amr = session.Amr,
            Acr = request.RequiredAcr.Claim(session.Acr),
            ClaimsRequest = request.ClaimsText,
        };
        var code = Handle.Create();
        var record = new TokenRecord
        {
            Hash = code.Hash,
            Kind = TokenKind.Code,
            ClientId = client.Id,
            Grant = grant,
            IssuedAt = now,
            ExpiresAt = now + options.CodeLifetime,
            Payload = new AuthorizationCode(request.ReturnTo.RedirectUri, request.CodeChallenge, request.Nonce).ToJson(),
        };
        var audit = new AuditEvent(AuditTypes.GrantOpened, now)
        {
            Actor = "user:" + session.Subject,
            Subject = session.Subject,
            ClientId = client.Id,
            SessionId = session.Id,
            GrantId = grant.Id,
            Address = address,
        };
        return await grants.OpenAsync(grant, record, audit, ct) ? code.Text : null;
    }

    private ValueTask FinishAsync(PendingRequest? pending, CancellationToken ct) =>
        pending is null ? ValueTask.CompletedTask : pendingRequests.RemoveAsync(pending, ct);

    private ProtocolResponse Refuse(ReturnAddress address, ProtocolError error) => Answer(
        address,
        [KeyValuePair.Create("error", error.Code), KeyValuePair.Create("error_description", error.Description)]);

    /// <summary>Every answer, success or error, carries <c>state</c> as sent and <c>iss</c> (RFC 9207).</summary>
    private ProtocolResponse Answer(ReturnAddress address, List<KeyValuePair<string, string>> fields)
    {
        if (address.State is { } state)
        {
            fields.Add(KeyValuePair.Create("state", state));
        }

        fields.Add(KeyValuePair.Create("iss", options.Issuer));
        return address.Mode switch
        {
            ResponseMode.FormPost => new ProtocolResponse.FormPost(address.RedirectUri, fields),
            ResponseMode.Fragment => new ProtocolResponse.Redirect(address.RedirectUri + '#' + Encode(fields)),
            _ => new ProtocolResponse.Redirect(
                address.RedirectUri + (address.RedirectUri.Contains('?', StringComparison.Ordinal) ? '&' : '?') + Encode(fields)),
        };
    }

    private static string Encode(IEnumerable<KeyValuePair<string, string>> fields) =>
        string.Join('&', fields.Select(field => $"{field.Key}={Uri.EscapeDataString(field.Value)}"));
}
