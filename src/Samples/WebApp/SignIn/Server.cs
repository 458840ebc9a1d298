using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace WebApp.SignIn;

/// <summary>What this app asks of the server besides the sign-in itself. The addresses come from the server's metadata.</summary>
public sealed class Server(HttpClient http, AppSettings settings, ConfigurationManager<OpenIdConnectConfiguration> metadata)
{
    /// <summary>The facts about the person (OpenID Connect Core §5.3).</summary>
    public async Task<JsonDocument> UserInfoAsync(string accessToken, CancellationToken ct)
    {
        var known = await metadata.GetConfigurationAsync(ct);
        using var request = new HttpRequestMessage(HttpMethod.Get, known.UserInfoEndpoint);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", accessToken);
        using var response = await http.SendAsync(request, ct);
        return response.IsSuccessStatusCode
            ? await JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync(ct), cancellationToken: ct)
            : throw new AuthenticationFailureException("UserInfo refused the access token.");
    }

    /// <summary>New tokens for a refresh token; <see langword="null"/> when the server says it is over (<c>invalid_grant</c>).</summary>
    public async Task<JsonDocument?> RefreshAsync(string refreshToken, CancellationToken ct)
    {
        var known = await metadata.GetConfigurationAsync(ct);
        using var response = await PostAsync(
            known.TokenEndpoint, [new("grant_type", "refresh_token"), new("refresh_token", refreshToken)], ct);
        if (response.StatusCode == System.Net.HttpStatusCode.BadRequest)
        {
            return null;
        }

        response.EnsureSuccessStatusCode();
        return await JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync(ct), cancellationToken: ct);
    }

    /// <summary>Ends what the refresh token stands for (RFC 7009): offline access outlives the sign-out unless the app gives it back.</summary>
    public async Task RevokeAsync(string refreshToken, CancellationToken ct)
    {
        var known = await metadata.GetConfigurationAsync(ct);
        if (known.AdditionalData.TryGetValue("revocation_endpoint", out var endpoint))
        {
            using var _ = await PostAsync(
                endpoint.ToString()!, [new("token", refreshToken), new("token_type_hint", "refresh_token")], ct);
        }
    }

    /// <summary>Where the browser goes to sign out at the server too (OpenID Connect RP-Initiated Logout §2).</summary>
    public async Task<string> EndSessionAsync(string? idToken, string returnTo, string state, CancellationToken ct)
    {
        var known = await metadata.GetConfigurationAsync(ct);
        return QueryHelpers.AddQueryString(known.EndSessionEndpoint, new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["id_token_hint"] = idToken,
            ["client_id"] = settings.ClientId,
            ["post_logout_redirect_uri"] = returnTo,
            ["state"] = state,
        });
    }

    // The app proves itself with its secret in the body (client_secret_post), as the OAuth handler does.
    private async Task<HttpResponseMessage> PostAsync(string address, List<KeyValuePair<string, string>> fields, CancellationToken ct)
    {
        fields.Add(new("client_id", settings.ClientId));
        fields.Add(new("client_secret", settings.ClientSecret));
        using var content = new FormUrlEncodedContent(fields);
        return await http.PostAsync(new Uri(address), content, ct);
    }
}
