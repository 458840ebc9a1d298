using System.Text.Json.Nodes;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Conformance;

/// <summary>What modules share: one server taken in turns, and a short way to sign in.</summary>
[Collection(nameof(ConformanceModules))]
public abstract class ModuleTest(ConformanceServer server)
{
    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected MutableClock Clock => server.Server.Clock;

    protected OpenIdProvider Provider => server.Server.Provider;

    protected RelyingParty Client => server.Client;

    protected RelyingParty OtherClient => server.OtherClient;

    protected RelyingParty PostClient => server.PostClient;

    protected Person Person => server.Person;

    protected ServerFixture Server => server.Server;

    protected Browser NewBrowser() => new(server.Server.Http);

    /// <summary>A request as the plan makes it.</summary>
    protected AuthorizationAttempt Attempt(string plan, string scope = "openid")
    {
        var attempt = Client.Attempt(scope);
        return plan == Plans.FormPost ? attempt.With("response_mode", "form_post") : attempt;
    }

    protected Task<AuthorizationWalk> WalkAsync(Browser browser, AuthorizationAttempt attempt) =>
        Client.AuthorizeAsync(browser, attempt, Person, Ct);

    /// <summary>Authorizes and exchanges the code, with every check on the way.</summary>
    protected async Task<TokenAnswer> SignInAsync(Browser browser, AuthorizationAttempt attempt) =>
        await Client.ExchangeAsync(await WalkAsync(browser, attempt), Ct);

    /// <summary>The browser stayed with us, on an error page.</summary>
    protected static void AssertErrorPage(AuthorizationWalk walk)
    {
        Assert.Null(walk.Answer);
        AssertErrorPage(walk.Last);
    }

    protected static void AssertErrorPage(Page page)
    {
        Assert.False(page.IsRedirect, $"Redirected to {page.Location}.");
        Assert.InRange((int)page.Status, 400, 499);
        Assert.True(page.IsHtml);
    }

    protected static long AuthTime(TokenAnswer tokens) =>
        Check.Instant(tokens.IdToken!, "auth_time").ToUnixTimeSeconds();

    protected static string? Subject(TokenAnswer tokens) => tokens.IdToken?["sub"];

    protected async Task<JsonObject> UserInfoAsync(TokenAnswer tokens)
    {
        var answer = await Client.UserInfoAsync(tokens.AccessToken!, Ct);
        Assert.Equal(200, answer.Status);
        Assert.Equal("application/json", answer.MediaType);
        Assert.Equal(Subject(tokens), (string?)answer.Json["sub"]);
        return answer.Json;
    }
}

/// <summary>Modules run one after the other.</summary>
[CollectionDefinition(nameof(ConformanceModules))]
public sealed class ConformanceModules : ICollectionFixture<ConformanceServer>;
