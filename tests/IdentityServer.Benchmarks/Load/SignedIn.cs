using IdentityServer.Benchmarks.Targets;
using IdentityServer.Testing;

namespace IdentityServer.Benchmarks.Load;

/// <summary>A browser in which alice has signed in, and the request it makes again and again.</summary>
internal sealed class SignedIn(RelyingParty client)
{
    private readonly Browser _browser = new(client.Http);

    /// <summary>Without state and nonce, which the load script numbers.</summary>
    public AuthorizationAttempt Attempt { get; } = client.Attempt(Target.Scope).With("state", null).With("nonce", null);

    public string Cookies => _browser.Cookies.Header(client.Provider.Authorization, crossSitePost: false)
        ?? throw new InvalidOperationException($"{client.Provider.Issuer} set no cookie.");

    /// <summary>The form of a code's redemption, without the code.</summary>
    public string RedemptionForm =>
        $"grant_type=authorization_code&redirect_uri={Uri.EscapeDataString(client.RedirectUri)}&code_verifier={Attempt.Verifier}";

    /// <summary>One whole code flow; signs in and consents when the server asks.</summary>
    public async Task<TokenAnswer> SignInAsync(CancellationToken ct)
    {
        var walk = await client.AuthorizeAsync(_browser, client.Attempt(Target.Scope), Target.Alice, ct);
        var answer = await client.RedeemAsync(walk, ct);
        return answer is { Succeeded: true, RefreshToken: not null, IdToken: not null }
            ? answer
            : throw new InvalidOperationException($"{client.Provider.Issuer} answered the code with {answer}.");
    }
}
