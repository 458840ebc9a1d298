using IdentityServer.Protocol.Audit;

namespace IdentityServer.Protocol.Consents;

/// <summary>What a person allowed a client, until taken back.</summary>
public sealed record Consent(string Subject, string ClientId, IReadOnlyList<string> Scopes, DateTimeOffset GivenAt);

/// <summary>Where consents are kept: one per person and client.</summary>
public interface IConsentStore
{
    ValueTask<Consent?> FindAsync(string subject, string clientId, CancellationToken ct);

    /// <summary>Adds or replaces.</summary>
    ValueTask SaveAsync(Consent consent, AuditEvent audit, CancellationToken ct);
}
