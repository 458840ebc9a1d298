using System.Buffers.Text;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OAuth;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;

namespace WebApp.SignIn;

/// <summary>
/// The framework's OAuth handler does the code flow with PKCE and <c>state</c>. This adds what OpenID Connect asks of an app:
/// <c>nonce</c>, <c>iss</c> (RFC 9207) and a validated ID token.
/// </summary>
public sealed class CodeFlowHandler(
    IOptionsMonitor<OAuthOptions> options, ILoggerFactory logger, UrlEncoder encoder, AppSettings settings, IdTokenReader idTokens, Server server)
    : OAuthHandler<OAuthOptions>(options, logger, encoder)
{
    private const string Nonce = "nonce";

    protected override string BuildChallengeUrl(AuthenticationProperties properties, string redirectUri)
    {
        // The properties travel inside state, encrypted: the nonce that comes back is compared with the one kept there.
        var nonce = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        properties.Items[Nonce] = nonce;
        var address = QueryHelpers.AddQueryString(base.BuildChallengeUrl(properties, redirectUri), Nonce, nonce);
        return QueryHelpers.AddQueryString(address, StepUp.ParametersOf(properties));
    }

    protected override async Task<HandleRequestResult> HandleRemoteAuthenticateAsync()
    {
        // Whoever answered must be the server we asked (RFC 9207 §2.4): checked before anything is sent to its token endpoint.
        return Request.Query["iss"] == settings.Authority
            ? await base.HandleRemoteAuthenticateAsync()
            : HandleRequestResult.Fail("The answer names another issuer, or none.");
    }

    protected override async Task<AuthenticationTicket> CreateTicketAsync(
        ClaimsIdentity identity, AuthenticationProperties properties, OAuthTokenResponse tokens)
    {
        var ct = Context.RequestAborted;
        var idToken = tokens.Response?.RootElement.GetString("id_token");
        var accessToken = tokens.AccessToken ?? throw new AuthenticationFailureException("The server sent no access token.");
        var nonce = properties.Items[Nonce] ?? throw new AuthenticationFailureException("The request had no nonce.");

        var claims = await idTokens.ReadAsync(idToken, accessToken, nonce, ct);
        identity.AddClaims(claims);

        // The name and other facts of the person wait at UserInfo. They must be of the person whom the ID token names (Core §5.3.2).
        using var person = await server.UserInfoAsync(accessToken, ct);
        if (person.RootElement.GetString("sub") != identity.FindFirst("sub")?.Value)
        {
            throw new AuthenticationFailureException("UserInfo speaks of somebody else.");
        }

        if (person.RootElement.GetString("name") is { } name)
        {
            identity.AddClaim(new Claim("name", name));
        }

        // Needed again when the person signs out.
        properties.StoreTokens([.. properties.GetTokens(), new AuthenticationToken { Name = "id_token", Value = idToken! }]);
        properties.Items.Remove(Nonce);

        var named = new ClaimsIdentity(identity.Claims, Scheme.Name, nameType: "name", roleType: null);
        return await base.CreateTicketAsync(named, properties, tokens);
    }
}
