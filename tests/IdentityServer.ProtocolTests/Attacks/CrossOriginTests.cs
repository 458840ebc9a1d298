using System.Net;

namespace IdentityServer.ProtocolTests.Attacks;

/// <summary>RFC 9700 §2.6: scripts of registered origins reach the back channel, none reaches the authorization endpoint.</summary>
public sealed class CrossOriginTests(AppServer apps) : AppServerTest(apps)
{
    private const string SpaOrigin = "https://spa.example";

    public static TheoryData<string> BackChannel =>
    [
        "/.well-known/openid-configuration",
        "/.well-known/jwks.json",
        "/connect/token",
        "/connect/userinfo",
        "/connect/revocation",
    ];

    public static TheoryData<string> FrontChannel => ["/connect/authorize", "/connect/endsession", "/login", "/consent"];

    [Theory]
    [MemberData(nameof(BackChannel))]
    public async Task A_registered_origin_may_call_the_back_channel(string path)
    {
        var preflight = await AskAsync(HttpMethod.Options, path, SpaOrigin);
        var request = await AskAsync(HttpMethod.Get, path, SpaOrigin);

        Assert.Equal(SpaOrigin, preflight.AllowedOrigin);
        Assert.Equal(SpaOrigin, request.AllowedOrigin);
        Assert.False(preflight.AllowsCredentials);
        Assert.True(request.VariesByOrigin);
    }

    [Theory]
    [MemberData(nameof(BackChannel))]
    public async Task A_shared_cache_keeps_an_answer_without_origin_apart(string path) =>
        Assert.True((await AskAsync(HttpMethod.Get, path, origin: null)).VariesByOrigin);

    [Theory]
    [MemberData(nameof(BackChannel))]
    public async Task Any_other_origin_may_not(string path)
    {
        foreach (var origin in new[] { "https://evil.example", "null", "https://spa.example.evil.example", "http://spa.example" })
        {
            Assert.Null((await AskAsync(HttpMethod.Options, path, origin)).AllowedOrigin);
            Assert.Null((await AskAsync(HttpMethod.Get, path, origin)).AllowedOrigin);
        }
    }

    [Theory]
    [MemberData(nameof(FrontChannel))]
    public async Task No_origin_may_script_the_pages(string path)
    {
        Assert.Null((await AskAsync(HttpMethod.Options, path, SpaOrigin)).AllowedOrigin);
        Assert.Null((await AskAsync(HttpMethod.Get, path, SpaOrigin)).AllowedOrigin);
    }

    private async Task<Answer> AskAsync(HttpMethod method, string path, string? origin)
    {
        using var request = new HttpRequestMessage(method, new Uri(Server.Address, path));
        if (origin is not null)
        {
            request.Headers.Add("Origin", origin);
        }

        if (method == HttpMethod.Options)
        {
            request.Headers.Add("Access-Control-Request-Method", "POST");
            request.Headers.Add("Access-Control-Request-Headers", "authorization");
        }

        using var response = await Server.Http.SendAsync(request, Ct);
        Assert.NotEqual(HttpStatusCode.InternalServerError, response.StatusCode);
        return new Answer(
            Header(response, "Access-Control-Allow-Origin"),
            Header(response, "Access-Control-Allow-Credentials") is not null,
            Header(response, "Vary")?.Contains("Origin", StringComparison.OrdinalIgnoreCase) == true);
    }

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? string.Join(',', values) : null;

    private sealed record Answer(string? AllowedOrigin, bool AllowsCredentials, bool VariesByOrigin);
}
