using System.Globalization;
using System.Text.Json.Nodes;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Conformance.Config;

[ConformanceModule(
    "oidcc-discovery-endpoint-verification",
    Plan = Plans.Config,
    Expects = "complete metadata, every address under the issuer, https when the issuer is")]
public sealed class OidccDiscoveryEndpointVerification(ConformanceServer server) : ModuleTest(server)
{
    private static readonly string[] _arrays =
    [
        "scopes_supported", "response_types_supported", "response_modes_supported", "grant_types_supported",
        "subject_types_supported", "id_token_signing_alg_values_supported", "token_endpoint_auth_methods_supported",
        "claims_supported", "ui_locales_supported", "code_challenge_methods_supported", "acr_values_supported",
    ];

    [Fact]
    public void The_metadata_has_what_a_relying_party_needs()
    {
        Assert.True(Provider.Supports("response_types_supported", "code"));
        Assert.True(Provider.Supports("subject_types_supported", "public"));
        Assert.True(Provider.Supports("id_token_signing_alg_values_supported", "RS256"));
        Assert.True(Provider.Supports("scopes_supported", "openid"));
        Assert.True(Provider.Supports("claims_supported", "sub"));
        Assert.True(Provider.Supports("grant_types_supported", "authorization_code"));
        Assert.True(Provider.Supports("code_challenge_methods_supported", "S256"));
        Assert.False(Provider.Supports("code_challenge_methods_supported", "plain"));
        Assert.True((bool?)Provider.Metadata["authorization_response_iss_parameter_supported"]);
    }

    [Fact]
    public void Lists_are_lists_of_distinct_words()
    {
        foreach (var name in _arrays.Where(Provider.Metadata.ContainsKey))
        {
            var words = Provider.Metadata[name]!.AsArray().Select(word => (string)word!).ToArray();

            Assert.NotEmpty(words);
            Assert.Distinct(words);
            Assert.All(words, word => Assert.True(word.All(letter => letter is > ' ' and <= '~' and not '"' and not '\\')));
        }
    }

    [Fact]
    public void Languages_are_BCP_47()
    {
        foreach (var language in Provider.Metadata["ui_locales_supported"]!.AsArray())
        {
            Assert.False(CultureInfo.GetCultureInfo((string)language!).ThreeLetterISOLanguageName.Length == 0);
        }
    }

    [Fact]
    public void Every_address_is_under_the_issuer()
    {
        var addresses = AddressesOf(Provider.Metadata);

        Assert.Contains("authorization_endpoint", addresses.Keys);
        Assert.Contains("token_endpoint", addresses.Keys);
        Assert.Contains("userinfo_endpoint", addresses.Keys);
        Assert.Contains("jwks_uri", addresses.Keys);
        Assert.All(addresses.Values, address =>
            Assert.StartsWith($"{Provider.Issuer}/", address, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Every_address_is_https_when_the_issuer_is()
    {
        const string Issuer = "https://id.example";
        await using var secure = await ServerFixture.StartAsync(Ct, settings => settings["IdentityServer:Issuer"] = Issuer);

        var metadata = await secure.FetchAsync("/.well-known/openid-configuration", Ct);

        Assert.Equal(Issuer, (string?)metadata.Json!["issuer"]);
        Assert.All(AddressesOf(metadata.Json).Values, address =>
            Assert.StartsWith("https://", address, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Both_documents_say_the_same_and_may_be_cached()
    {
        var openId = await Server.FetchAsync("/.well-known/openid-configuration", Ct);
        var oauth = await Server.FetchAsync("/.well-known/oauth-authorization-server", Ct);

        Assert.Equal((200, "application/json"), ((int)openId.Status, openId.MediaType));
        Assert.Equal((200, "application/json"), ((int)oauth.Status, oauth.MediaType));
        Assert.True(JsonNode.DeepEquals(openId.Json, oauth.Json));
        Assert.NotNull(openId.Headers.ETag);
        Assert.NotNull(openId.Headers.CacheControl?.MaxAge);
    }

    [Fact]
    public void The_keys_are_public_and_distinct() => Check.Jwks(Provider.Jwks);

    private static Dictionary<string, string> AddressesOf(JsonObject metadata) => metadata
        .Where(member => member.Key.EndsWith("_endpoint", StringComparison.Ordinal) || member.Key == "jwks_uri")
        .ToDictionary(member => member.Key, member => (string)member.Value!, StringComparer.Ordinal);
}
