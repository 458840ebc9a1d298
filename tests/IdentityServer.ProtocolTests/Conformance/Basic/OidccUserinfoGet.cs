using System.Net.Http.Headers;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule("oidcc-userinfo-get", Plan = Plans.Basic, Expects = "JSON with the same sub")]
public sealed class OidccUserinfoGet(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task UserInfo_answers_a_GET(string plan)
    {
        var tokens = await SignInAsync(NewBrowser(), Attempt(plan));

        using var request = new HttpRequestMessage(HttpMethod.Get, Provider.UserInfo);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", tokens.AccessToken);
        using var response = await Server.Http.SendAsync(request, Ct);
        var answer = await TokenAnswer.ReadAsync(response, Ct);

        Assert.Equal(200, answer.Status);
        Assert.Equal("application/json", answer.MediaType);
        Assert.Equal(Subject(tokens), (string?)answer.Json["sub"]);
    }
}
