using IdentityServer.Protocol;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Protocol.Sessions;

namespace IdentityServer.StorageTests;

/// <summary>Values for the contracts. Instants have whole milliseconds, as storage keeps them.</summary>
internal static class Samples
{
    public static DateTimeOffset Now { get; } = DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_123);

    public static AuditEvent Audit(string type = "test.done") => new(type, Now);

    public static Ending Ending(string type = "test.done", RevocationKind kind = RevocationKind.Grant, string? key = null) => new(
        Audit(type),
        new Receipt { Id = Handle.NewId(), At = Now, Kind = kind, Key = key ?? Handle.NewId(), Reason = "test", Actor = "system", ExposedUntil = Now });

    public static Session Session(string? subject = null) => new()
    {
        Id = Handle.NewId(),
        Subject = subject ?? Handle.NewId(),
        AuthenticatedAt = Now,
        Amr = ["pwd"],
        Acr = AcrValues.Password,
        CreatedAt = Now,
        LastSeenAt = Now,
        IdleLifetime = TimeSpan.FromHours(1),
        ExpiresAt = Now.AddHours(12),
        KeepSignedIn = true,
        Address = "192.0.2.1",
        UserAgent = "Mozilla/5.0",
    };

    public static Grant Grant(Session session, string clientId = "web", bool offline = false) => new()
    {
        Id = Handle.NewId(),
        ClientId = clientId,
        Subject = session.Subject,
        SessionId = session.Id,
        Scopes = ["openid", "profile"],
        GrantedAt = Now,
        ExpiresAt = Now.AddDays(90),
        IsOffline = offline,
        AuthenticatedAt = Now,
        Amr = ["pwd"],
        Acr = AcrValues.Password,
        ClaimsRequest = """{"userinfo":{"email":null}}""",
    };

    public static Revocation Revocation(RevocationKind kind, string key) => new(kind, key, Now, Now.AddHours(2));

    public static TokenRecord Token(Grant? grant, TokenKind kind = TokenKind.Refresh, string? clientId = null) => new()
    {
        Hash = Handle.Create().Hash,
        Kind = kind,
        ClientId = clientId ?? grant!.ClientId,
        Grant = grant,
        IssuedAt = Now,
        ExpiresAt = Now.AddMinutes(1),
        Payload = """{"nonce":"n"}""",
    };
}
