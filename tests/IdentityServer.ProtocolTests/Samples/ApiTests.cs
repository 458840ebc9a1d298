using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;

namespace IdentityServer.ProtocolTests.Samples;

/// <summary>The sample API takes our access tokens, as far as they reach, and nothing else.</summary>
[Collection(nameof(SampleWorld))]
public sealed class ApiTests(SampleWorld world)
{
    [Fact]
    public async Task No_token_is_answered_with_what_is_needed()
    {
        using var response = await SendAsync(HttpMethod.Get, accessToken: null);

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal("Bearer", Assert.Single(response.Headers.WwwAuthenticate).ToString());
    }

    [Fact]
    public async Task The_scope_to_read_reads()
    {
        using var response = await SendAsync(HttpMethod.Get, await TokenAsync("orders.read"));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Contains("Two chairs", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_scope_to_read_does_not_write()
    {
        using var response = await SendAsync(HttpMethod.Post, await TokenAsync("orders.read"));

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Equal(
            "Bearer error=\"insufficient_scope\", scope=\"orders.write\"", Assert.Single(response.Headers.WwwAuthenticate).ToString());
    }

    [Fact]
    public async Task The_scope_to_write_writes_but_does_not_read()
    {
        var token = await TokenAsync("orders.write");

        using var written = await SendAsync(HttpMethod.Post, token);
        using var read = await SendAsync(HttpMethod.Get, token);

        Assert.Equal(HttpStatusCode.Created, written.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, read.StatusCode);
    }

    [Fact]
    public async Task Cancelling_says_how_strong_and_fresh_a_sign_in_it_wants()
    {
        var tokens = await world.AsWebApp.SignInAsync(
            SampleWorld.Alice, "openid orders.write", TestContext.Current.CancellationToken);
        using var request = new HttpRequestMessage(HttpMethod.Delete, new Uri(world.Api.Address, "/orders/1"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", tokens.AccessToken);
        using var response = await world.Http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        var challenge = Assert.Single(response.Headers.WwwAuthenticate).ToString();
        Assert.StartsWith("Bearer error=\"insufficient_user_authentication\"", challenge, StringComparison.Ordinal);
        Assert.EndsWith("acr_values=\"urn:identityserver:mfa\", max_age=\"600\"", challenge, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_for_another_API_opens_nothing() => await AssertRefusedAsync(await TokenAsync("payments.read"));

    [Fact]
    public async Task An_ID_token_opens_nothing()
    {
        var tokens = await world.AsWebApp.SignInAsync(
            SampleWorld.Alice, "openid orders.read", TestContext.Current.CancellationToken);

        await AssertRefusedAsync(tokens.IdToken!.Text);
    }

    [Fact]
    public async Task A_revoked_token_opens_nothing_a_moment_later()
    {
        var (revoked, other) = (await TokenAsync("orders.read"), await TokenAsync("orders.read"));
        using (var before = await SendAsync(HttpMethod.Get, revoked))
        {
            Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        }

        await world.Service.RevokeAsync(revoked, TestContext.Current.CancellationToken);
        HttpStatusCode status;
        do
        {
            using var after = await SendAsync(HttpMethod.Get, revoked);
            status = after.StatusCode;
        }
        while (status == HttpStatusCode.OK);

        Assert.Equal(HttpStatusCode.Unauthorized, status);
        using var others = await SendAsync(HttpMethod.Get, other);
        Assert.Equal(HttpStatusCode.OK, others.StatusCode);
    }

    [Fact]
    public async Task A_changed_token_opens_nothing()
    {
        var token = await TokenAsync("orders.read");
        var at = token.LastIndexOf('.') + 10;

        await AssertRefusedAsync($"{token[..at]}{(token[at] == 'A' ? 'B' : 'A')}{token[(at + 1)..]}");
    }

    private async Task AssertRefusedAsync(string token)
    {
        using var response = await SendAsync(HttpMethod.Get, token);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.StartsWith(
            "Bearer error=\"invalid_token\"", Assert.Single(response.Headers.WwwAuthenticate).ToString(), StringComparison.Ordinal);
    }

    private async Task<string> TokenAsync(string scope) =>
        (await world.Service.ClientCredentialsAsync(scope, TestContext.Current.CancellationToken)).AccessToken!;

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string? accessToken)
    {
        using var request = new HttpRequestMessage(method, new Uri(world.Api.Address, "/orders"));
        request.Headers.Authorization = accessToken is null ? null : new AuthenticationHeaderValue("Bearer", accessToken);
        request.Content = method == HttpMethod.Post ? JsonContent.Create(new { what = "A teapot" }) : null;
        return await world.Http.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
