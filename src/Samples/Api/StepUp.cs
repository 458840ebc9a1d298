using System.Globalization;

namespace Api;

/// <summary>
/// An endpoint that wants to know that it is really the person, and now: a token of a weaker or older sign-in is answered with what to ask
/// for (RFC 9470 §3). The app sends the person there and calls again.
/// </summary>
public static class StepUp
{
    private const string Acr = "urn:identityserver:mfa";

    // What is as good: a passkey.
    private static readonly string[] Enough = [Acr, "phr"];

    /// <summary>Two factors, shown at most so long ago.</summary>
    public static RouteHandlerBuilder RequireTwoFactors(this RouteHandlerBuilder endpoint, TimeSpan maxAge) =>
        endpoint.AddEndpointFilter(async (context, next) =>
        {
            var person = context.HttpContext.User;
            var isStrong = Enough.Contains(person.FindFirst("acr")?.Value);
            var isFresh = long.TryParse(person.FindFirst("auth_time")?.Value, CultureInfo.InvariantCulture, out var seconds)
                && TimeProvider.System.GetUtcNow() - DateTimeOffset.FromUnixTimeSeconds(seconds) <= maxAge;
            if (isStrong && isFresh)
            {
                return await next(context);
            }

            context.HttpContext.Response.Headers.WWWAuthenticate = string.Create(
                CultureInfo.InvariantCulture,
                $"Bearer error=\"insufficient_user_authentication\", error_description=\"A fresh sign-in with two factors is needed.\", acr_values=\"{Acr}\", max_age=\"{maxAge.TotalSeconds}\"");
            return Results.Unauthorized();
        });
}
