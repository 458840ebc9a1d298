using IdentityServer.Protocol.Audit;
using IdentityServer.Storage.Mail;

namespace IdentityServer.Storage.Factors;

/// <summary>Where recovery codes are kept: their salted hashes.</summary>
public interface IRecoveryCodes
{
    /// <summary>The set of a person, used ones included.</summary>
    ValueTask<IReadOnlyList<RecoveryCode>> ListAsync(string subject, CancellationToken ct);

    /// <summary>A new set; the old one stops working.</summary>
    ValueTask ReplaceAsync(string subject, IReadOnlyList<RecoveryCode> codes, AuditEvent audit, OutboxMail? mail, CancellationToken ct);

    /// <summary>Uses the code of this hash up. Of two at once, also on two nodes, one succeeds.</summary>
    ValueTask<bool> UseAsync(string subject, string hash, DateTimeOffset now, AuditEvent audit, OutboxMail? mail, CancellationToken ct);
}
