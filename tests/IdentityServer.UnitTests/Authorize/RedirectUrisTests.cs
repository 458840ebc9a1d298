using IdentityServer.Protocol.Authorize;
using IdentityServer.Protocol.Clients;

namespace IdentityServer.UnitTests.Authorize;

public sealed class RedirectUrisTests
{
    [Theory]
    [InlineData("https://app.example/cb", true)]
    [InlineData("https://app.example/cb/", false)]
    [InlineData("https://app.example/CB", false)]
    [InlineData("https://APP.example/cb", false)]
    [InlineData("https://app.example:443/cb", false)]
    [InlineData("https://app.example/cb?x=1", false)]
    [InlineData("https://app.example/cb#f", false)]
    [InlineData("https://app.example/cb/../cb", false)]
    [InlineData("https://app.example/%63b", false)]
    [InlineData("https://app.example@evil.example/cb", false)]
    [InlineData("https://app.example.evil.example/cb", false)]
    [InlineData("http://app.example/cb", false)]
    [InlineData("https://app.example/cb\n", false)]
    [InlineData("http://127.0.0.1:8765/cb", true)]
    [InlineData("http://127.0.0.1:9999/cb", false)]
    public void A_web_app_matches_character_by_character(string uri, bool expected) =>
        Assert.Equal(expected, RedirectUris.IsRegistered(App(ClientType.Web, "https://app.example/cb", "http://127.0.0.1:8765/cb"), uri));

    [Theory]
    [InlineData("http://127.0.0.1/cb", true)]
    [InlineData("http://127.0.0.1:1/cb", true)]
    [InlineData("http://127.0.0.1:65535/cb", true)]
    [InlineData("http://[::1]:8080/cb", false)]
    [InlineData("http://127.0.0.1:123456/cb", false)]
    [InlineData("http://127.0.0.1:/cb", false)]
    [InlineData("http://127.0.0.1:80x/cb", false)]
    [InlineData("http://127.0.0.1:80@evil.example/cb", false)]
    [InlineData("http://127.0.0.1.evil.example/cb", false)]
    [InlineData("http://127.0.0.1:8080/cb/", false)]
    [InlineData("http://127.0.0.1:8080/cb?x", false)]
    [InlineData("http://localhost:8080/cb", false)]
    [InlineData("https://127.0.0.1:8080/cb", false)]
    public void A_native_app_may_vary_the_loopback_port_and_nothing_else(string uri, bool expected) =>
        Assert.Equal(expected, RedirectUris.IsRegistered(App(ClientType.Native, "http://127.0.0.1:4000/cb"), uri));

    private static Client App(ClientType type, params string[] uris) =>
        new() { Id = "app", Name = "App", Type = type, AuthMethod = ClientAuthMethods.None, RedirectUris = uris };
}
