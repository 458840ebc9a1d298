using IdentityServer.Storage.Revocations;
using IdentityServer.Storage.Users;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Accounts;

/// <summary>
/// The person wants to be forgotten: everything goes that is about them. Refused to the last admin. What stays are audit events and the
/// revocations of what they were given; both name ids only.
/// </summary>
public sealed record AccountDeleted : StoredChange
{
    internal override bool RemovesSessions => true;

    private protected override async Task<bool> ChangeAsync(ServerDb db, string subject, DateTimeOffset now, CancellationToken ct)
    {
        if (await PersonPolicyStore.IsLastAdminAsync(db, subject, ct))
        {
            return false;
        }

        // Of two at once, one deletes.
        return await db.Users.Where(user => user.Id == subject)
            .ExecuteUpdateAsync(set => set.SetProperty(user => user.UpdatedAt, user => user.UpdatedAt), ct) == 1;
    }

    private protected override async Task FinishAsync(ServerDb db, string subject, CancellationToken ct)
    {
        // 1 what they were given, and gave
        await db.Tokens.Where(token => db.Grants.Any(grant => grant.Id == token.GrantId && grant.Subject == subject)).ExecuteDeleteAsync(ct);
        await db.Grants.Where(grant => grant.Subject == subject).ExecuteDeleteAsync(ct);
        await db.Sessions.Where(session => session.Subject == subject).ExecuteDeleteAsync(ct);
        await db.Consents.Where(consent => consent.Subject == subject).ExecuteDeleteAsync(ct);

        // 2 what was under way, and what was learned; counts are named after the person or a device of theirs
        foreach (var device in await db.Devices.Where(device => device.Subject == subject).Select(device => device.Id).ToListAsync(ct))
        {
            await db.Attempts.Where(attempts => attempts.Key.Contains(device)).ExecuteDeleteAsync(ct);
        }

        await db.Attempts.Where(attempts => attempts.Key.Contains(subject)).ExecuteDeleteAsync(ct);
        await db.Devices.Where(device => device.Subject == subject).ExecuteDeleteAsync(ct);
        await db.Places.Where(place => place.Subject == subject).ExecuteDeleteAsync(ct);
        await db.PartialSignIns.Where(signIn => signIn.Subject == subject).ExecuteDeleteAsync(ct);
        await db.Ceremonies.Where(ceremony => ceremony.Subject == subject).ExecuteDeleteAsync(ct);
        await db.MailLinks.Where(link => link.Subject == subject).ExecuteDeleteAsync(ct);
        await db.OutboxMails.Where(mail => mail.Subject == subject).ExecuteDeleteAsync(ct);

        // 3 who they were; not left to the database's cascade, which some of them can be told not to do
        await db.Authenticators.Where(row => row.Subject == subject).ExecuteDeleteAsync(ct);
        await db.Passkeys.Where(row => row.Subject == subject).ExecuteDeleteAsync(ct);
        await db.RecoveryCodes.Where(row => row.Subject == subject).ExecuteDeleteAsync(ct);
        await db.UserRoles.Where(row => row.UserId == subject).ExecuteDeleteAsync(ct);
        await db.UserClaims.Where(row => row.UserId == subject).ExecuteDeleteAsync(ct);
        await db.UserLogins.Where(row => row.UserId == subject).ExecuteDeleteAsync(ct);
        await db.UserTokens.Where(row => row.UserId == subject).ExecuteDeleteAsync(ct);
        await db.Users.Where(user => user.Id == subject).ExecuteDeleteAsync(ct);
    }
}
