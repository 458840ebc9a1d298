using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Issuance;
using IdentityServer.Protocol.Pending;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Protocol.Sessions;

namespace IdentityServer.Protocol.EndSession;

/// <summary>
/// Signs the person out when an app asks (OpenID Connect RP-Initiated Logout 1.0). With an ID token of this very person the
/// app has shown that it may; otherwise the person is asked, so that nobody can be signed out by a link (ASVS 10.6.2).
/// </summary>
public sealed class EndSessionEndpoint(
    ClientDirectory clients,
    IdTokenHintReader hints,
    PendingRequests pendingRequests,
    ISessionStore sessions,
    Revoker revoker,
    FrontChannel frontChannel,
    ProtocolOptions options,
    TimeProvider clock)
{
    /// <summary>Comes back from our page that has loaded the app's front-channel logout address while the session goes on.</summary>
    public const string Told = "told";

    public async ValueTask<ProtocolResponse> HandleAsync(OAuthRequest request, CancellationToken ct)
    {
        if (!(await ReadAsync(request.Parameters, ct)).TryGet(out var wish, out var error))
        {
            return new ProtocolResponse.ErrorPage(error, request.Parameters["client_id"]);
        }

        if (request.Method != "POST")
        {
            return await RunAsync(request, request.Parameters, wish, handle: null, leftSessionId: null, ct);
        }

        // As at the authorization endpoint: the SameSite cookie comes with a navigation, not with another site's form.
        var handle = await pendingRequests.SaveAsync(request.Parameters, wish.Client?.Id, clock.GetUtcNow(), ct);
        return new ProtocolResponse.Redirect($"{options.Issuer}{Endpoints.EndSessionResume}?handle={handle}");
    }

    /// <summary>The person answered our page, or came back from a form post.</summary>
    public async ValueTask<ProtocolResponse> ResumeAsync(OAuthRequest request, CancellationToken ct)
    {
        var handle = request.Parameters["handle"];
        if (await pendingRequests.FindAsync(handle, ct) is not { } pending)
        {
            return new ProtocolResponse.ErrorPage(
                ProtocolError.InvalidRequest("This sign-out has ended or waited too long. Start again from the app.", "handle"));
        }

        var parameters = new Parameters(pending.Parameters);
        return (await ReadAsync(parameters, ct)).TryGet(out var wish, out var error)
            ? await RunAsync(request, parameters, wish, handle, pending.LeftSessionId, ct)
            : new ProtocolResponse.ErrorPage(error, parameters["client_id"]);
    }

    private async ValueTask<ProtocolResponse> RunAsync(
        OAuthRequest http, Parameters parameters, EndSessionRequest wish, string? handle, string? leftSessionId, CancellationToken ct)
    {
        if (await FindSessionAsync(http, ct) is { } session)
        {
            if (session.Id == leftSessionId)
            {
                return LeaveApp(http, parameters, wish, handle!);
            }

            if (wish.Hint?.Subject != session.Subject)
            {
                handle ??= await pendingRequests.SaveAsync(parameters, wish.Client?.Id, clock.GetUtcNow(), ct);
                return new ProtocolResponse.Page(HostedPage.SignOut, handle, http.Parameters["ui_locales"] ?? parameters["ui_locales"]);
            }

            var cause = new Cause("signed_out", "user:" + session.Subject, http.Address) { ClientId = wish.Client?.Id };
            await revoker.EndSessionAsync(session.Id, session.Subject, alsoOffline: false, cause, ct);
        }

        // Apps that only the browser can tell are loaded by our page, which knows the session by its cookie and goes on to the app by itself.
        if ((await frontChannel.ListAsync(http.SessionHandle, ct)).Count > 0)
        {
            handle ??= wish.ReturnTo is null ? "" : await pendingRequests.SaveAsync(parameters, wish.Client?.Id, clock.GetUtcNow(), ct);
            return new ProtocolResponse.Page(HostedPage.SignedOut, handle, http.Parameters["ui_locales"] ?? parameters["ui_locales"]);
        }

        return wish.ReturnTo is { } returnTo
            ? new ProtocolResponse.Redirect(returnTo) { ForgetsSession = true }
            : new ProtocolResponse.Page(HostedPage.SignedOut, handle ?? "", http.Parameters["ui_locales"] ?? parameters["ui_locales"]) { ForgetsSession = true };
    }

    /// <summary>The person signed out of this app alone: back to it, by way of our page where the browser has to tell it.</summary>
    private static ProtocolResponse LeaveApp(OAuthRequest http, Parameters parameters, EndSessionRequest wish, string handle) =>
        wish.ReturnTo is { } returnTo && (wish.Client?.FrontChannelLogoutUri is null || http.Parameters[Told] is not null)
            ? new ProtocolResponse.Redirect(returnTo)
            : new ProtocolResponse.Page(HostedPage.SignedOut, handle, http.Parameters["ui_locales"] ?? parameters["ui_locales"]);

    private async ValueTask<Session?> FindSessionAsync(OAuthRequest http, CancellationToken ct) =>
        http.SessionHandle is { Length: 43 } text
            && await sessions.FindByHandleAsync(Handle.HashOf(text), ct) is { } session
            && session.IsLive(clock.GetUtcNow())
                ? session
                : null;

    private async ValueTask<Result<EndSessionRequest>> ReadAsync(Parameters parameters, CancellationToken ct)
    {
        IdTokenHint? hint = null;
        if (parameters["id_token_hint"] is { } text)
        {
            hint = await hints.ReadAsync(text);
            if (hint is null)
            {
                return ProtocolError.InvalidRequest("The id_token_hint is not an ID token of this server.", "id_token_hint");
            }
        }

        var clientId = parameters["client_id"] ?? hint?.ClientId;
        if (hint is not null && clientId != hint.ClientId)
        {
            return ProtocolError.InvalidRequest("The client_id differs from the id_token_hint.", "client_id");
        }

        var client = clientId is null ? null : await clients.FindAsync(clientId, ct);
        if (client is null && parameters["client_id"] is not null)
        {
            return ProtocolError.InvalidRequest("No client is registered under this client_id.", "client_id");
        }

        if (parameters["post_logout_redirect_uri"] is not { } uri)
        {
            return new EndSessionRequest(client, hint, null);
        }

        if (client is null)
        {
            // Nobody says whose address it is: sign out, but send nobody there (RP-Initiated Logout §2).
            return new EndSessionRequest(null, hint, null);
        }

        return client.PostLogoutRedirectUris.Contains(uri, StringComparer.Ordinal)
            ? new EndSessionRequest(client, hint, WithState(uri, parameters["state"]))
            : ProtocolError.InvalidRequest(
                "The post_logout_redirect_uri is not registered for this client.", "post_logout_redirect_uri");
    }

    private static string WithState(string uri, string? state) => state is null
        ? uri
        : $"{uri}{(uri.Contains('?', StringComparison.Ordinal) ? '&' : '?')}state={Uri.EscapeDataString(state)}";
}

/// <summary>A sign-out request that passed every check of its own.</summary>
/// <param name="Client">Who asks, when it said so.</param>
/// <param name="Hint">The ID token it showed.</param>
/// <param name="ReturnTo">A registered address with <c>state</c>, or <see langword="null"/>: stay with us.</param>
public sealed record EndSessionRequest(Client? Client, IdTokenHint? Hint, string? ReturnTo);
