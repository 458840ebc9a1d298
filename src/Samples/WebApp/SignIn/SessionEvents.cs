using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;

namespace WebApp.SignIn;

/// <summary>Looks after the tokens of a session: refreshes them in time, and ends the session when the server has ended it.</summary>
public sealed partial class SessionEvents(
    Server server, IdTokenReader idTokens, AppSettings settings, TimeProvider clock, ILogger<SessionEvents> logger)
    : CookieAuthenticationEvents
{
    /// <summary>How often the session's tokens were refreshed; shown on the home page.</summary>
    public const string Refreshes = "refreshes";

    public override async Task ValidatePrincipal(CookieValidatePrincipalContext context)
    {
        var ct = context.HttpContext.RequestAborted;
        var session = context.Properties;
        var left = ExpiresAt(session) - clock.GetUtcNow();
        if (left > settings.RefreshBefore || session.GetTokenValue("refresh_token") is not { } refreshToken)
        {
            return;
        }

        try
        {
            // Two requests at once may both come here with the same token. The server answers a retry within a few seconds with the
            // same successor, so both end up with the same one.
            using var answer = await server.RefreshAsync(refreshToken, ct);
            context.ShouldRenew = answer is not null && await TakeAsync(answer.RootElement, context, ct);
            if (!context.ShouldRenew)
            {
                await EndAsync(context, why: null);
            }
        }
        catch (AuthenticationFailureException why)
        {
            await EndAsync(context, why);
        }
        catch (HttpRequestException why)
        {
            // The server gave no answer, or none that says it is over. The token in hand may still be good; the API decides.
            LogNoAnswer(logger, why);
        }
    }

    /// <summary>The end of the access token in hand.</summary>
    public static DateTimeOffset ExpiresAt(AuthenticationProperties session) =>
        DateTimeOffset.TryParse(session.GetTokenValue("expires_at"), CultureInfo.InvariantCulture, out var at) ? at : DateTimeOffset.MinValue;

    private async Task EndAsync(CookieValidatePrincipalContext context, Exception? why)
    {
        LogEnded(logger, why);
        context.RejectPrincipal();
        await context.HttpContext.SignOutAsync(context.Scheme.Name);
    }

    private async Task<bool> TakeAsync(JsonElement tokens, CookieValidatePrincipalContext context, CancellationToken ct)
    {
        var session = context.Properties;
        if (tokens.GetString("access_token") is not { } accessToken || !tokens.TryGetProperty("expires_in", out var seconds))
        {
            return false;
        }

        // A refresh may bring an ID token: of the same person, or it is not ours (OpenID Connect Core §12.2).
        if (tokens.GetString("id_token") is { } idToken)
        {
            var claims = await idTokens.ReadAsync(idToken, accessToken, nonce: null, ct);
            if (claims.First(claim => claim.Type == "sub").Value != context.Principal?.FindFirst("sub")?.Value)
            {
                return false;
            }

            session.UpdateTokenValue("id_token", idToken);
        }

        session.UpdateTokenValue("access_token", accessToken);
        session.UpdateTokenValue(
            "expires_at", clock.GetUtcNow().AddSeconds(seconds.GetInt32()).ToString("o", CultureInfo.InvariantCulture));

        // Each refresh token works once: the new one takes its place.
        session.UpdateTokenValue("refresh_token", tokens.GetString("refresh_token") ?? session.GetTokenValue("refresh_token")!);
        var count = session.Items.TryGetValue(Refreshes, out var text) && int.TryParse(text, CultureInfo.InvariantCulture, out var n) ? n : 0;
        session.Items[Refreshes] = (count + 1).ToString(CultureInfo.InvariantCulture);
        return true;
    }

    [LoggerMessage(1, LogLevel.Information, "The server no longer vouches for a session; the person is asked to sign in again.")]
    private static partial void LogEnded(ILogger logger, Exception? why);

    [LoggerMessage(2, LogLevel.Warning, "The server did not answer a refresh.")]
    private static partial void LogNoAnswer(ILogger logger, Exception why);
}
