using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Storage.Users;

namespace IdentityServer.Storage.SignIns;

/// <summary>
/// Where a sign-in becomes a session. A password takes a tenth of a second to check, and may be reset in that time: the session is opened only
/// while the person is as they were when the check began. It holds the person's row, so that a reset at the same moment either ends the
/// session, or is noticed here.
/// </summary>
public interface ISignInDoor
{
    /// <summary>Stores a new session; false when the password was changed or barred, or the account disabled, since <paramref name="seen"/>.</summary>
    ValueTask<bool> OpenAsync(User seen, Session session, string handleHash, AuditEvent audit, CancellationToken ct);

    /// <summary>As <see cref="ISessionStore.RenewAsync"/>; false also for the reasons above.</summary>
    ValueTask<bool> RenewAsync(User seen, Session session, string handleHash, AuditEvent audit, CancellationToken ct);
}
