using IdentityServer.Protocol.Audit;
using IdentityServer.Storage.Mail;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Factors;

/// <summary>What goes with every change of a person's factors, in its transaction.</summary>
internal static class FactorChanges
{
    /// <summary>
    /// Writes the person's row as it is: until the commit nobody else adds to or takes from what is counted. False when there is no such
    /// person.
    /// </summary>
    public static async Task<bool> HoldAsync(ServerDb db, string subject, CancellationToken ct) =>
        await db.Users.Where(user => user.Id == subject)
            .ExecuteUpdateAsync(set => set.SetProperty(user => user.UpdatedAt, user => user.UpdatedAt), ct) == 1;

    /// <summary>No device is spared the second factor any longer, and the change is told.</summary>
    public static async Task RecordAsync(ServerDb db, string subject, AuditEvent audit, OutboxMail? mail, CancellationToken ct)
    {
        DateTimeOffset? none = null;
        await db.Devices.Where(device => device.Subject == subject && device.RememberedUntil != null)
            .ExecuteUpdateAsync(set => set.SetProperty(device => device.RememberedUntil, none), ct);
        db.Record(audit);
        if (mail is not null)
        {
            db.OutboxMails.Add(mail);
        }
    }
}
