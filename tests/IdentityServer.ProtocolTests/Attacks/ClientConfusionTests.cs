using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Attacks;

/// <summary>RFC 6749 §2.3 and RFC 9700 §2.5, §4.15: one client, proved in one way, taken for nobody else.</summary>
public sealed class ClientConfusionTests(AppServer apps) : AppServerTest(apps)
{
    [Fact]
    public async Task A_client_id_in_the_body_must_be_that_of_the_header()
    {
        var answer = await Service.TokenAsync(
            [new("grant_type", "client_credentials"), new("client_id", App.ClientId)], Ct);

        Check.TokenError(answer, "invalid_client");
    }

    [Fact]
    public async Task Two_ways_of_authentication_at_once_are_refused()
    {
        var answer = await Service.TokenAsync(
            [new("grant_type", "client_credentials"), new("client_secret", Service.Secret!)], Ct);

        Check.TokenError(answer, "invalid_request");
    }

    [Theory]
    [InlineData("client_credentials")]
    [InlineData("refresh_token")]
    [InlineData("authorization_code")]
    public async Task A_confidential_client_does_not_get_by_with_its_name_alone(string grantType)
    {
        var answer = await PostAsync(
            ("grant_type", grantType), ("client_id", Service.ClientId), ("refresh_token", "x"), ("code", "x"));

        Check.TokenError(answer, "invalid_client");
        Assert.StartsWith("Basic ", answer.WwwAuthenticate, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_public_client_cannot_act_for_itself()
    {
        var answer = await Spa.ClientCredentialsAsync(null, Ct);

        Check.TokenError(answer, "unauthorized_client");
    }

    [Fact]
    public async Task An_unknown_client_and_a_wrong_secret_are_answered_alike()
    {
        var unknown = await PostAsync(
            ("grant_type", "client_credentials"), ("client_id", "nobody"), ("client_secret", "x"));
        var wrong = await PostAsync(
            ("grant_type", "client_credentials"), ("client_id", Service.ClientId), ("client_secret", "x"));

        Check.TokenError(unknown, "invalid_client");
        Assert.Equal(unknown.Text, wrong.Text);
        Assert.Equal(unknown.WwwAuthenticate, wrong.WwwAuthenticate);
    }

    [Fact]
    public async Task A_service_is_not_taken_for_a_person()
    {
        var tokens = await Service.ClientCredentialsAsync("api:read", Ct);

        Check.Tokens(tokens);
        Assert.Equal(Service.ClientId, Jwt.Parse(tokens.AccessToken!)["sub"]);
        Assert.Null(tokens.RefreshToken);
        Assert.Null(tokens.IdToken);
        Assert.InRange((await Service.UserInfoAsync(tokens.AccessToken!, Ct)).Status, 401, 403);
        Check.TokenError(await Service.ClientCredentialsAsync("openid", Ct), "invalid_scope");
        Check.TokenError(await Service.ClientCredentialsAsync("api:write", Ct), "invalid_scope");
    }

    [Fact]
    public async Task A_client_uses_only_the_grants_it_was_given()
    {
        var code = await Service.TokenAsync([new("grant_type", "authorization_code"), new("code", "x")], Ct);
        var password = await App.TokenAsync(
            [new("grant_type", "password"), new("username", "alice"), new("password", "x")], Ct);

        Check.TokenError(code, "unauthorized_client");
        Check.TokenError(password, "unsupported_grant_type");
    }

    [Fact]
    public async Task An_ID_token_is_no_access_token()
    {
        var tokens = await App.SignInAsync(Alice, "openid", Ct);

        Assert.Equal(401, (await App.UserInfoAsync(tokens.IdToken!.Text, Ct)).Status);
        Assert.False((await App.IntrospectAsync(tokens.IdToken.Text, Ct)).IsActive);
    }

    [Fact]
    public async Task An_access_token_in_the_address_is_not_accepted()
    {
        var tokens = await App.SignInAsync(Alice, "openid", Ct);

        using var response = await Server.Http.GetAsync(
            new Uri($"{Provider.UserInfo}?access_token={tokens.AccessToken}"), Ct);

        Assert.Equal(401, (int)response.StatusCode);
    }

    private async Task<TokenAnswer> PostAsync(params (string Name, string Value)[] parameters)
    {
        using var content = new FormUrlEncodedContent(
            parameters.Select(parameter => KeyValuePair.Create(parameter.Name, parameter.Value)));
        using var response = await Server.Http.PostAsync(Provider.Token, content, Ct);
        return await TokenAnswer.ReadAsync(response, Ct);
    }
}
