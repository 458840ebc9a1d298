using System.Collections.Frozen;
using System.Text.Json;
using IdentityServer.Protocol.Clients;

namespace IdentityServer.UnitTests.Clients;

public sealed class ClientDraftTests
{
    private static readonly FrozenSet<string> Known =
        new[] { "openid", "profile", "email", "offline_access", "orders.read" }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Theory]
    [InlineData(ClientType.Web, "client_secret_basic", "authorization_code refresh_token", "email offline_access openid profile", true)]
    [InlineData(ClientType.Spa, "none", "authorization_code refresh_token", "email offline_access openid profile", true)]
    [InlineData(ClientType.Native, "none", "authorization_code refresh_token", "email offline_access openid profile", true)]
    [InlineData(ClientType.Service, "client_secret_basic", "client_credentials", "", false)]
    [InlineData(ClientType.Device, "none", "refresh_token urn:ietf:params:oauth:grant-type:device_code", "email offline_access openid profile", true)]
    public void Each_type_has_safe_defaults(ClientType type, string method, string grants, string scopes, bool consent)
    {
        var draft = new ClientDraft("app", type)
        {
            RedirectUris = type is ClientType.Service or ClientType.Device ? [] : ["https://app.example.com/cb"],
        };

        Assert.Empty(draft.Faults(Known));
        var client = draft.Build(secret: null, Now);

        Assert.Equal(method, client.AuthMethod);
        Assert.Equal(grants, string.Join(' ', client.GrantTypes.Order(StringComparer.Ordinal)));
        Assert.Equal(scopes, string.Join(' ', client.Scopes.Order(StringComparer.Ordinal)));
        Assert.Equal(consent, client.RequireConsent);
        Assert.Equal("app", client.Name);
        Assert.Equal(method == "client_secret_basic", draft.WantsSecret);
    }

    [Fact]
    public void Without_refresh_tokens_offline_access_is_no_default()
    {
        var draft = Web() with { GrantTypes = [GrantTypes.AuthorizationCode] };
        Assert.DoesNotContain("offline_access", draft.Build(null, Now).Scopes.AsEnumerable());
    }

    [Fact]
    public void A_client_that_names_its_scopes_gets_no_others()
    {
        var draft = Web() with { Scopes = ["orders.read"] };
        Assert.Equal(["orders.read"], draft.Build(null, Now).Scopes);
    }

    [Fact]
    public void Each_fault_names_its_field()
    {
        (ClientDraft Draft, string Field)[] cases =
        [
            (Web() with { Id = "" }, "client_id"),
            (Web() with { Id = "a b" }, "client_id"),
            (Web() with { Id = "a\"b" }, "client_id"),
            (Web() with { Id = new string('a', 101) }, "client_id"),
            (Web() with { Name = "a\u202eb" }, "client_name"),
            (Web() with { Name = "" }, "client_name"),
            (Web() with { AuthMethod = "tls_client_auth" }, "token_endpoint_auth_method"),
            (Web() with { Type = ClientType.Spa, AuthMethod = ClientAuthMethods.Basic }, "token_endpoint_auth_method"),
            (Web() with { AuthMethod = ClientAuthMethods.PrivateKeyJwt }, "jwks"),
            (Web() with { Jwks = """{"keys":[]}""" }, "jwks"),
            (Web() with { GrantTypes = ["password"] }, "grant_types"),
            (Web() with { GrantTypes = ["implicit", GrantTypes.AuthorizationCode] }, "grant_types"),
            (new("s", ClientType.Service) { AuthMethod = ClientAuthMethods.None }, "grant_types"),
            (new("s", ClientType.Service) { GrantTypes = [GrantTypes.RefreshToken] }, "grant_types"),
            (new("s", ClientType.Service) { RedirectUris = ["https://app.example.com/cb"] }, "redirect_uris"),
            (new("w", ClientType.Web), "redirect_uris"),
            (new("w", ClientType.Spa), "redirect_uris"),
            (new("w", ClientType.Native), "redirect_uris"),
            (Web() with { RedirectUris = ["http://app.example.com/cb"] }, "redirect_uris"),
            (Web() with { PostLogoutRedirectUris = ["/bye"] }, "post_logout_redirect_uris"),
            (Web() with { AllowedOrigins = ["*"] }, "allowed_origins"),
            (Web() with { BackChannelLogoutUri = "http://localhost/out" }, "backchannel_logout_uri"),
            (Web() with { FrontChannelLogoutUri = "https://other.example.com/out" }, "frontchannel_logout_uri"),
            (Web() with { Scopes = ["orders.write"] }, "scope"),
            (Web() with { IdTokenSigningAlgorithm = "none" }, "id_token_signed_response_alg"),
            (Web() with { UserInfoSigningAlgorithm = "none" }, "userinfo_signed_response_alg"),
            (Web() with { AccessTokenLifetime = TimeSpan.Zero }, "access_token_lifetime"),
            (Web() with { AccessTokenLifetime = TimeSpan.FromDays(1) }, "access_token_lifetime"),
        ];

        Assert.All(cases, entry => Assert.Contains(entry.Draft.Faults(Known), fault => fault.Field == entry.Field));
    }

    [Fact]
    public void What_was_typed_is_shown_without_control_characters()
    {
        var fault = Assert.Single((Web() with { Scopes = ["a\u001b[31m"] }).Faults(Known));
        Assert.Equal("The scope a?[31m does not exist.", fault.Message);
    }

    [Fact]
    public void Metadata_speaks_RFC_7591_and_shows_the_secret_only_when_asked()
    {
        var draft = Web() with { PostLogoutRedirectUris = ["https://app.example.com/bye"] };
        var client = draft.Build(new ClientSecret("s1", new string('A', 64), Now, null), Now);

        var first = Written(client, "the-secret");
        Assert.Equal("the-secret", first.GetProperty("client_secret").GetString());
        Assert.Equal(0, first.GetProperty("client_secret_expires_at").GetInt64());
        Assert.Equal(Now.ToUnixTimeSeconds(), first.GetProperty("client_id_issued_at").GetInt64());
        Assert.Equal("email offline_access openid profile", first.GetProperty("scope").GetString());
        Assert.Equal("code", first.GetProperty("response_types")[0].GetString());
        Assert.Equal("client_secret_basic", first.GetProperty("token_endpoint_auth_method").GetString());

        var later = Written(client, secret: null);
        Assert.False(later.TryGetProperty("client_secret", out _));
        Assert.DoesNotContain(new string('A', 64), later.GetRawText(), StringComparison.Ordinal);
    }

    private static ClientDraft Web() => new("app", ClientType.Web) { RedirectUris = ["https://app.example.com/cb"] };

    private static JsonElement Written(Client client, string? secret)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            ClientMetadata.Write(writer, client, secret);
        }

        return JsonElement.Parse(buffer.ToArray());
    }
}
