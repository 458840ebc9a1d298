using IdentityServer.Protocol.Authorize;
using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Discovery;
using IdentityServer.Protocol.EndSession;
using IdentityServer.Protocol.Introspect;
using IdentityServer.Protocol.Issuance;
using IdentityServer.Protocol.Keys;
using IdentityServer.Protocol.Pending;
using IdentityServer.Protocol.RevocationFeed;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Protocol.Revoke;
using IdentityServer.Protocol.Scopes;
using IdentityServer.Protocol.Token;
using IdentityServer.Protocol.UserInfo;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.Protocol;

/// <summary>Registers the protocol core. The host adds the ports: the stores, <see cref="IKeyProtector"/> and a clock.</summary>
public static class ProtocolServices
{
    public static IServiceCollection AddProtocol(this IServiceCollection services, ProtocolOptions options, KeyPolicy policy) => services
        .AddSingleton(options)
        .AddSingleton(policy)

        // memory that follows the change log; keys first, so that a start without them fails before anything else
        .AddSingleton<KeyFactory>()
        .AddListener<SigningKeyRing>()
        .AddListener<RevocationList>()
        .AddListener<ClientDirectory>()
        .AddListener<ScopeCatalog>()
        .AddListener<RevocationTail>()
        .AddSingleton<ChangeFeed>()
        .AddSingleton<KeyFetchLedger>()
        .AddSingleton<KeyUseLedger>()
        .AddSingleton<Revoker>()

        // who calls, what is issued
        .AddSingleton<ClientAssertion>()
        .AddSingleton<ClientAuthenticator>()
        .AddSingleton<TokenIssuer>()
        .AddSingleton<IssuanceLedger>()
        .AddSingleton<AccessTokenReader>()
        .AddSingleton<IdTokenHintReader>()
        .AddSingleton<PendingRequests>()

        // endpoints
        .AddSingleton<AuthorizeRequestReader>()
        .AddSingleton<AuthorizeEndpoint>()
        .AddSingleton<ITokenGrant, AuthorizationCodeGrant>()
        .AddSingleton<ITokenGrant, ClientCredentialsGrant>()
        .AddSingleton<ITokenGrant, RefreshTokenGrant>()
        .AddSingleton<TokenEndpoint>()
        .AddSingleton<IntrospectEndpoint>()
        .AddSingleton<RevokeEndpoint>()
        .AddSingleton<RevocationFeedEndpoint>()
        .AddSingleton<UserInfoEndpoint>()
        .AddSingleton<FrontChannel>()
        .AddSingleton<EndSessionEndpoint>()
        .AddSingleton<DiscoveryEndpoint>()
        .AddSingleton<JwksEndpoint>();

    /// <summary>What changes keys: for the server, and for a command that runs beside it.</summary>
    public static IServiceCollection AddKeyRollover(this IServiceCollection services) => services
        .AddSingleton<KeyRollover>()
        .AddSingleton<KeyReadiness>();

    private static IServiceCollection AddListener<T>(this IServiceCollection services)
        where T : class, IChangeListener => services
        .AddSingleton<T>()
        .AddSingleton<IChangeListener>(provider => provider.GetRequiredService<T>());
}
