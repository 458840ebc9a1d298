using System.Text.Json;

namespace IdentityServer.Protocol.Clients;

/// <summary>A client in the words of RFC 7591 §2 and OpenID Connect Dynamic Client Registration §2; ours where they have none.</summary>
public static class ClientMetadata
{
    /// <param name="writer">Where to.</param>
    /// <param name="client">The client.</param>
    /// <param name="secret">The secret just made, shown this once; otherwise <see langword="null"/>.</param>
    public static void Write(Utf8JsonWriter writer, Client client, string? secret)
    {
        writer.WriteStartObject();
        writer.WriteString("client_id", client.Id);
        if (secret is not null)
        {
            writer.WriteString("client_secret", secret);
            WriteExpiry(writer, client.Secrets[^1].ExpiresAt);
        }

        writer.WriteNumber("client_id_issued_at", client.CreatedAt.ToUnixTimeSeconds());
        writer.WriteString("client_name", client.Name);
        writer.WriteString("client_type", client.Type.ToString().ToLowerInvariant());
        writer.WriteString("application_type", client.Type is ClientType.Native or ClientType.Device ? "native" : "web");
        WriteAll(writer, "redirect_uris", client.RedirectUris);
        WriteAll(writer, "post_logout_redirect_uris", client.PostLogoutRedirectUris);
        if (client.BackChannelLogoutUri is { } backChannel)
        {
            writer.WriteString("backchannel_logout_uri", backChannel);
            writer.WriteBoolean("backchannel_logout_session_required", true);
        }

        if (client.FrontChannelLogoutUri is { } frontChannel)
        {
            writer.WriteString("frontchannel_logout_uri", frontChannel);
            writer.WriteBoolean("frontchannel_logout_session_required", true);
        }

        WriteAll(writer, "allowed_origins", client.AllowedOrigins);
        WriteAll(writer, "grant_types", client.GrantTypes.Order(StringComparer.Ordinal));
        WriteAll(writer, "response_types", client.MayUse(GrantTypes.AuthorizationCode) ? ["code"] : []);
        writer.WriteString("token_endpoint_auth_method", client.AuthMethod);
        writer.WriteString("scope", string.Join(' ', client.Scopes.Order(StringComparer.Ordinal)));
        if (client.Jwks is not null)
        {
            writer.WritePropertyName("jwks");
            writer.WriteRawValue(client.Jwks);
        }

        writer.WriteString("id_token_signed_response_alg", client.IdTokenSigningAlgorithm);
        WriteText(writer, "userinfo_signed_response_alg", client.UserInfoSigningAlgorithm);
        WriteText(writer, "client_uri", client.ClientUri);
        WriteText(writer, "logo_uri", client.LogoUri);
        WriteText(writer, "policy_uri", client.PolicyUri);
        WriteText(writer, "tos_uri", client.TosUri);
        writer.WriteString("access_token_format", client.TokenFormat == TokenFormat.Jwt ? "jwt" : "reference");
        writer.WriteNumber("access_token_lifetime", (long)client.AccessTokenLifetime.TotalSeconds);
        writer.WriteNumber("refresh_token_idle_lifetime", (long)client.RefreshIdleLifetime.TotalSeconds);
        writer.WriteNumber("refresh_token_absolute_lifetime", (long)client.RefreshAbsoluteLifetime.TotalSeconds);
        if (client.KeyCacheLifetime is { } keyCache)
        {
            writer.WriteNumber("key_cache_lifetime", (long)keyCache.TotalSeconds);
        }

        writer.WriteBoolean("require_key_readiness", client.RequireReadiness);
        WriteText(writer, "minimum_acr", client.MinimumAcr);
        if (client.DefaultMaxAge is { } maxAge)
        {
            writer.WriteNumber("default_max_age", (long)maxAge.TotalSeconds);
        }

        writer.WriteBoolean("require_consent", client.RequireConsent);
        writer.WriteBoolean("disabled", client.DisabledAt is not null);
        WriteSecrets(writer, client.Secrets);
        writer.WriteEndObject();
    }

    // RFC 7591 §3.2.1: 0 when it never expires.
    private static void WriteExpiry(Utf8JsonWriter writer, DateTimeOffset? expiresAt) =>
        writer.WriteNumber("client_secret_expires_at", expiresAt?.ToUnixTimeSeconds() ?? 0);

    // Which secrets live, never what they are.
    private static void WriteSecrets(Utf8JsonWriter writer, IReadOnlyList<ClientSecret> secrets)
    {
        writer.WriteStartArray("secrets");
        foreach (var secret in secrets)
        {
            writer.WriteStartObject();
            writer.WriteString("id", secret.Id);
            writer.WriteNumber("created_at", secret.CreatedAt.ToUnixTimeSeconds());
            WriteExpiry(writer, secret.ExpiresAt);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteAll(Utf8JsonWriter writer, string name, IEnumerable<string> values)
    {
        writer.WriteStartArray(name);
        foreach (var value in values)
        {
            writer.WriteStringValue(value);
        }

        writer.WriteEndArray();
    }

    private static void WriteText(Utf8JsonWriter writer, string name, string? value)
    {
        if (value is not null)
        {
            writer.WriteString(name, value);
        }
    }
}
