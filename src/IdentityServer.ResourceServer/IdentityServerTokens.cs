using IdentityServer.ResourceServer.Keys;
using IdentityServer.ResourceServer.Revocations;
using IdentityServer.ResourceServer.Server;
using IdentityServer.ResourceServer.Telemetry;
using IdentityServer.ResourceServer.Tokens;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace IdentityServer.ResourceServer;

/// <summary>Lets an API accept access tokens of IdentityServer, and refuse those that have ended.</summary>
public static class IdentityServerTokens
{
    /// <summary>The name of the authentication scheme.</summary>
    public const string Scheme = "Bearer";

    /// <summary>
    /// Accepts access tokens of one issuer: JWTs (RFC 9068) are validated here, reference tokens introspected (RFC 7662), and what the
    /// server has ended is refused.
    /// </summary>
    /// <param name="authentication">What <c>AddAuthentication()</c> returned.</param>
    /// <param name="issuer">The server's issuer identifier.</param>
    /// <param name="audience">The API's own name.</param>
    /// <param name="configure">Changes the rest of the options.</param>
    public static AuthenticationBuilder AddIdentityServerTokens(
        this AuthenticationBuilder authentication, string issuer, string audience, Action<IdentityServerTokensOptions>? configure = null)
    {
        var services = authentication.Services;
        if (services.Any(service => service.ServiceType == typeof(SigningKeys)))
        {
            throw new InvalidOperationException("AddIdentityServerTokens was called before: an application accepts the tokens of one issuer.");
        }

        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(provider => provider.GetRequiredService<IOptionsMonitor<IdentityServerTokensOptions>>().Get(Scheme))
            .AddSingleton<ResourceServerMetrics>()
            .AddSingleton<Backchannel>()
            .AddSingleton<SigningKeys>()
            .AddSingleton<EndedTokens>()
            .AddSingleton<FeedState>()
            .AddSingleton<JwtReader>()
            .AddSingleton<ReferenceTokenReader>()
            .AddHostedService<KeyRefresher>()
            .AddHostedService<FeedFollower>();
        services.AddHealthChecks().AddCheck<TokensHealth>("identityserver-tokens");

        // A wrong setting stops the start, not a request.
        services.AddOptions<IdentityServerTokensOptions>(Scheme).ValidateOnStart();
        return authentication.AddScheme<IdentityServerTokensOptions, TokenHandler>(Scheme, options =>
        {
            options.Issuer = issuer;
            options.Audience = audience;
            configure?.Invoke(options);
        });
    }

    /// <summary>Lets a policy ask for a scope of the token; who lacks it is told so (RFC 6750 §3.1).</summary>
    public static AuthorizationPolicyBuilder RequireScope(this AuthorizationPolicyBuilder policy, string scope) =>
        policy.RequireAuthenticatedUser().AddRequirements(new ScopeRequirement(scope));
}
