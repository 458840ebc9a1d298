using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Unicode;

namespace IdentityServer.Account;

/// <summary>
/// What a person takes home of their account. Each thing has a shape of its own, so that nothing gets into the file because it happens to
/// be in a row: no hash, no secret, no key.
/// </summary>
public sealed record AccountData
{
    public required DateTimeOffset MadeAt { get; init; }

    public required ProfileData Profile { get; init; }

    public required IReadOnlyList<FactorData> Authenticators { get; init; }

    public required IReadOnlyList<PasskeyData> Passkeys { get; init; }

    public required IReadOnlyList<RecoveryCodeData> RecoveryCodes { get; init; }

    public required IReadOnlyList<DeviceData> Devices { get; init; }

    public required IReadOnlyList<SessionData> Sessions { get; init; }

    public required IReadOnlyList<ConsentData> Consents { get; init; }

    public required IReadOnlyList<GrantData> Grants { get; init; }

    public required IReadOnlyList<PlaceData> Places { get; init; }

    public required IReadOnlyList<MailData> Mails { get; init; }

    /// <summary>The audit log, as far as it is about them.</summary>
    public required IReadOnlyList<EventData> Events { get; init; }
}

/// <summary>Who they are.</summary>
public sealed record ProfileData
{
    public required string Sub { get; init; }

    public required string UserName { get; init; }

    public string? Name { get; init; }

    public string? GivenName { get; init; }

    public string? FamilyName { get; init; }

    public string? Locale { get; init; }

    public string? Email { get; init; }

    public bool EmailVerified { get; init; }

    public string? PhoneNumber { get; init; }

    public bool PhoneNumberVerified { get; init; }

    public JsonNode? MoreClaims { get; init; }

    public required IReadOnlyList<string> Roles { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset UpdatedAt { get; init; }

    public bool HasPassword { get; init; }

    public DateTimeOffset? PasswordChangedAt { get; init; }

    public DateTimeOffset? PasswordBarredAt { get; init; }

    public bool RequiresSecondFactor { get; init; }
}

/// <summary>An authenticator app.</summary>
public sealed record FactorData(string Name, DateTimeOffset CreatedAt, DateTimeOffset? LastUsedAt);

/// <summary>A passkey.</summary>
public sealed record PasskeyData
{
    public required string Name { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? LastUsedAt { get; init; }

    public required IReadOnlyList<string> Transports { get; init; }

    public bool IsSynced { get; init; }
}

/// <summary>A recovery code, without the code.</summary>
public sealed record RecoveryCodeData(DateTimeOffset CreatedAt, DateTimeOffset? UsedAt);

/// <summary>A browser.</summary>
public sealed record DeviceData
{
    public required string Id { get; init; }

    public DateTimeOffset FirstSeenAt { get; init; }

    public DateTimeOffset LastSeenAt { get; init; }

    public DateTimeOffset? SparedSecondFactorUntil { get; init; }

    public DateTimeOffset ForgottenAt { get; init; }

    public string? Address { get; init; }

    public string? UserAgent { get; init; }
}

/// <summary>A sign-in.</summary>
public sealed record SessionData
{
    public required string Id { get; init; }

    public DateTimeOffset OpenedAt { get; init; }

    public DateTimeOffset AuthenticatedAt { get; init; }

    public required IReadOnlyList<string> Amr { get; init; }

    public required string Acr { get; init; }

    public DateTimeOffset LastSeenAt { get; init; }

    public DateTimeOffset ExpiresAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    public string? Address { get; init; }

    public string? UserAgent { get; init; }

    public string? DeviceId { get; init; }
}

/// <summary>What was allowed an app.</summary>
public sealed record ConsentData(string ClientId, IReadOnlyList<string> Scopes, DateTimeOffset GivenAt);

/// <summary>What an app was given.</summary>
public sealed record GrantData
{
    public required string Id { get; init; }

    public required string ClientId { get; init; }

    public required string SessionId { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }

    public DateTimeOffset GrantedAt { get; init; }

    public DateTimeOffset ExpiresAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    public bool IsOffline { get; init; }

    public string? ClaimsRequest { get; init; }
}

/// <summary>A network somebody signed in from.</summary>
public sealed record PlaceData(
    string Network, DateTimeOffset FirstSeenAt, DateTimeOffset LastSeenAt, string? Country, double? Latitude, double? Longitude);

/// <summary>A mail. What it said is erased once it was sent.</summary>
public sealed record MailData(string Kind, DateTimeOffset CreatedAt, DateTimeOffset? SentAt);

/// <summary>Something that was recorded.</summary>
public sealed record EventData
{
    public required string Type { get; init; }

    public DateTimeOffset At { get; init; }

    public required string Actor { get; init; }

    public string? ClientId { get; init; }

    public string? SessionId { get; init; }

    public string? GrantId { get; init; }

    public string? Address { get; init; }

    public required string Outcome { get; init; }

    public string? Detail { get; init; }
}

/// <summary>How the file is written: names as in the protocol, for people to read.</summary>
[JsonSerializable(typeof(AccountData))]
internal sealed partial class AccountJson : JsonSerializerContext
{
    /// <summary>Letters of every script as they are.</summary>
    public static AccountJson Readable { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.Create(UnicodeRanges.All),
    });
}
