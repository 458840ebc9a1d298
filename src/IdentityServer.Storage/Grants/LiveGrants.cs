using IdentityServer.Protocol.Grants;
using IdentityServer.Storage.Sessions;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Grants;

/// <summary>
/// Whether a grant has ended is read off the grant <em>and</em> its session, in the statement that asks. So an ending needs no second
/// pass, and nothing opened or refreshed at the same moment slips through.
/// </summary>
internal static class LiveGrants
{
    /// <summary>Grants under which something may still be issued.</summary>
    public static IQueryable<Grant> WhereLive(this IQueryable<Grant> grants, ServerDb db) =>
        grants.Where(grant => grant.EndedAt == null
            && (grant.IsOffline
                ? !db.Sessions.Any(session => session.Id == grant.SessionId
                    && EF.Property<DateTimeOffset?>(session, SessionMapping.OfflineEndedAt) != null)
                : db.Sessions.Any(session => session.Id == grant.SessionId && session.EndedAt == null)));
}
