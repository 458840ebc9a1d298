using IdentityServer.Protocol.Subjects;

namespace IdentityServer.UnitTests.Subjects;

public sealed class ClaimsRequestTests
{
    [Fact]
    public void The_example_of_the_specification_is_understood()
    {
        const string Json = """
            {"userinfo":{"given_name":{"essential":true},"nickname":null,"http://example.info/claims/groups":null},
             "id_token":{"auth_time":{"essential":true},"acr":{"values":["urn:mace:incommon:iap:silver"]}}}
            """;

        Assert.True(ClaimsRequest.Parse(Json).TryGet(out var claims, out _));
        Assert.True(claims.UserInfo["given_name"].IsEssential);
        Assert.False(claims.UserInfo["nickname"].IsEssential);
        Assert.Equal(["urn:mace:incommon:iap:silver"], claims.IdToken["acr"].Values);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"userinfo\":null}")]
    [InlineData("{\"other\":{\"x\":1}}")]
    public void Nothing_asked_for_is_fine(string json) => Assert.True(ClaimsRequest.Parse(json).TryGet(out _, out _));

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("\"x\"")]
    [InlineData("{")]
    [InlineData("{\"userinfo\":[]}")]
    [InlineData("{\"userinfo\":{\"name\":true}}")]
    [InlineData("{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}}")]
    public void Anything_else_is_an_error(string json) => Assert.False(ClaimsRequest.Parse(json).TryGet(out _, out _));
}
