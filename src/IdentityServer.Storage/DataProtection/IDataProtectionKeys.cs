using IdentityServer.Protocol.Audit;

namespace IdentityServer.Storage.DataProtection;

/// <summary>The rows of the Data Protection ring, beside what ASP.NET Core asks of it.</summary>
public interface IDataProtectionKeys
{
    /// <summary>Every row as it is stored, oldest first.</summary>
    ValueTask<IReadOnlyList<DataProtectionKey>> ListAsync(CancellationToken ct);

    /// <summary>Puts the same key, sealed anew, in the place of the row; false when the row is no longer as it was read.</summary>
    ValueTask<bool> ResealAsync(DataProtectionKey row, string xml, AuditEvent audit, CancellationToken ct);
}
