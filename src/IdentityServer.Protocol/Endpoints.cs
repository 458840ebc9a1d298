namespace IdentityServer.Protocol;

/// <summary>Where each endpoint lives below the issuer.</summary>
public static class Endpoints
{
    public const string Discovery = "/.well-known/openid-configuration";
    public const string OAuthMetadata = "/.well-known/oauth-authorization-server";
    public const string Jwks = "/.well-known/jwks.json";
    public const string Authorize = "/connect/authorize";
    public const string AuthorizeResume = "/connect/authorize/resume";
    public const string Token = "/connect/token";
    public const string Introspect = "/connect/introspect";
    public const string Revocation = "/connect/revocation";
    public const string Revocations = "/connect/revocations";
    public const string RevocationsSnapshot = "/connect/revocations/snapshot";
    public const string UserInfo = "/connect/userinfo";
    public const string EndSession = "/connect/endsession";
    public const string EndSessionResume = "/connect/endsession/resume";
}
