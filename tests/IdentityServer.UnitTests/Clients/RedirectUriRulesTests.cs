using IdentityServer.Protocol.Clients;

namespace IdentityServer.UnitTests.Clients;

public sealed class RedirectUriRulesTests
{
    [Theory]
    [InlineData("https://app.example.com/callback")]
    [InlineData("https://app.example.com")]
    [InlineData("https://app.example.com:8443/signin-oidc?tenant=1")]
    [InlineData("http://localhost:5002/callback")]
    [InlineData("http://127.0.0.1/cb")]
    [InlineData("http://[::1]:9000/cb")]
    [InlineData("HTTPS://app.example.com/cb")]
    public void Exact_addresses_may_be_registered(string uri)
    {
        Assert.All(Enum.GetValues<ClientType>(), type => Assert.Null(RedirectUriRules.Fault(uri, type)));
    }

    [Theory]
    [InlineData("", "not absolute")]
    [InlineData("/callback", "not absolute")]
    [InlineData("callback", "not absolute")]
    [InlineData("//app.example.com/cb", "not absolute")]
    [InlineData("https:app.example.com", "no host")]
    [InlineData("https:///cb", "no host")]
    [InlineData("https://?x=1", "no host")]
    [InlineData("https://app.example.com/cb#", "fragment")]
    [InlineData("https://app.example.com/cb#part", "fragment")]
    [InlineData("https://*.example.com/cb", "wildcard")]
    [InlineData("https://app.example.com/*", "wildcard")]
    [InlineData("https://user@app.example.com/cb", "user name")]
    [InlineData("https://user:pass@app.example.com/cb", "user name")]
    [InlineData("http://127.0.0.1@evil.example/cb", "user name")]
    [InlineData("http://app.example.com/cb", "uses http")]
    [InlineData("http://127.0.0.1.evil.example/cb", "uses http")]
    [InlineData("http://localhost.evil.example/cb", "uses http")]
    [InlineData("http://0x7f000001/cb", "uses http")]
    [InlineData("http://2130706433/cb", "uses http")]
    [InlineData("http://127.0.0.2/cb", "uses http")]
    [InlineData("https://app.example.com/a b", "a space")]
    [InlineData("https://app.example.com/\n", "control character")]
    [InlineData("https://app.example.com/\0", "control character")]
    [InlineData("https://app.example.com\\@evil.example/", "character")]
    [InlineData("https://bücher.example/cb", "percent-encode")]
    [InlineData("https://app.example.com:99999/cb", "cannot be read")]
    [InlineData("https://[::1/cb", "cannot be read")]
    public void Anything_else_is_refused_and_the_reason_said(string uri, string reason)
    {
        Assert.All(
            Enum.GetValues<ClientType>(),
            type => Assert.Contains(reason, RedirectUriRules.Fault(uri, type), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("com.example.app:/callback")]
    [InlineData("com.example.app://callback")]
    public void A_private_use_scheme_is_for_native_apps_alone(string uri)
    {
        Assert.Null(RedirectUriRules.Fault(uri, ClientType.Native));
        Assert.Contains("only native apps", RedirectUriRules.Fault(uri, ClientType.Web), StringComparison.Ordinal);
        Assert.Contains("only native apps", RedirectUriRules.Fault(uri, ClientType.Spa), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("myapp:/callback")]
    [InlineData("javascript:alert(1)")]
    [InlineData("data:text/html,x")]
    [InlineData("file:///etc/passwd")]
    [InlineData("urn:ietf:wg:oauth:2.0:oob")]
    [InlineData("com.example.app:")]
    public void A_scheme_that_anybody_could_claim_is_refused(string uri)
    {
        Assert.NotNull(RedirectUriRules.Fault(uri, ClientType.Native));
    }

    [Fact]
    public void The_longest_address_has_two_thousand_characters()
    {
        var start = "https://app.example.com/";
        Assert.Null(RedirectUriRules.Fault(start + new string('a', 2_000 - start.Length), ClientType.Web));
        Assert.NotNull(RedirectUriRules.Fault(start + new string('a', 2_001 - start.Length), ClientType.Web));
    }

    [Theory]
    [InlineData("https://app.example.com", true)]
    [InlineData("https://app.example.com:8443", true)]
    [InlineData("http://localhost:3000", true)]
    [InlineData("https://app.example.com/", false)]
    [InlineData("https://app.example.com:443", false)]
    [InlineData("https://App.example.com", false)]
    [InlineData("http://app.example.com", false)]
    [InlineData("null", false)]
    [InlineData("*", false)]
    [InlineData("app.example.com", false)]
    [InlineData("", false)]
    public void An_origin_is_what_browsers_send(string origin, bool allowed)
    {
        Assert.Equal(allowed, RedirectUriRules.OriginFault(origin) is null);
    }

    [Theory]
    [InlineData("https://app.example.com/out", true, true)]
    [InlineData("https://app.example.com/out?tenant=1", true, true)]
    [InlineData("https://127.0.0.1:5001/out", true, true)]
    [InlineData("http://127.0.0.1:5001/out", false, true)]
    [InlineData("http://localhost/out", false, true)]
    [InlineData("http://app.example.com/out", false, false)]
    [InlineData("http://127.0.0.1.example.com/out", false, false)]
    [InlineData("http://localhost@app.example.com/out", false, false)]
    [InlineData("https://app.example.com/out#part", false, false)]
    [InlineData("https://user@app.example.com/out", false, false)]
    [InlineData("https://*.example.com/out", false, false)]
    [InlineData("/out", false, false)]
    [InlineData("file:///etc/passwd", false, false)]
    [InlineData("com.example.app:/out", false, false)]
    [InlineData("", false, false)]
    public void The_server_itself_calls_https_and_in_development_its_own_machine(string uri, bool allowed, bool inDevelopment)
    {
        Assert.Equal(allowed, RedirectUriRules.BackChannelFault(uri, isForDevelopment: false) is null);
        Assert.Equal(inDevelopment, RedirectUriRules.BackChannelFault(uri, isForDevelopment: true) is null);
    }

    [Theory]
    [InlineData("https://app.example.com/out", true)]
    [InlineData("https://app.example.com:443/out", true)]
    [InlineData("http://localhost:3000/out", true)]
    [InlineData("https://app.example.com:8443/out", false)]
    [InlineData("https://other.example.com/out", false)]
    [InlineData("http://app.example.com/out", false)]
    [InlineData("http://localhost/out", false)]
    [InlineData("https://app.example.com/out#part", false)]
    [InlineData("javascript:alert(1)", false)]
    [InlineData("com.example.app:/out", false)]
    [InlineData("/out", false)]
    public void A_frame_is_loaded_only_from_where_the_app_is(string uri, bool allowed) => Assert.Equal(
        allowed,
        RedirectUriRules.FrontChannelFault(
            uri, ["https://app.example.com/cb", "http://localhost:3000/cb", "com.example.app:/cb"]) is null);
}
