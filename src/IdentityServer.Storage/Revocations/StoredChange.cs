using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Storage.Mail;
using IdentityServer.Storage.Users;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Revocations;

/// <summary>A change of a person's row that goes into the transaction which ends their sessions.</summary>
public abstract record StoredChange : PersonChange
{
    /// <summary>Tells of the change; stored with it.</summary>
    public required AuditEvent Audit { get; init; }

    /// <summary>Tells the person; queued with it.</summary>
    public OutboxMail? Mail { get; init; }

    /// <summary>Nothing is left of the sessions afterwards, so that apps are told within the same transaction.</summary>
    internal virtual bool RemovesSessions => false;

    /// <summary>Does it; false when it may not be done (any more), and then nothing else is done either.</summary>
    internal async Task<bool> ApplyAsync(ServerDb db, string subject, DateTimeOffset now, CancellationToken ct)
    {
        if (!await ChangeAsync(db, subject, now, ct))
        {
            return false;
        }

        // What a device was trusted with ends with every change of what proves the person.
        await db.Devices.Where(device => device.Subject == subject && device.RememberedUntil != null)
            .ExecuteUpdateAsync(set => set.SetProperty(device => device.RememberedUntil, (DateTimeOffset?)null), ct);
        await db.PartialSignIns.Where(signIn => signIn.Subject == subject).ExecuteDeleteAsync(ct);
        db.Record(Audit);
        if (Mail is not null)
        {
            db.OutboxMails.Add(Mail);
        }

        return true;
    }

    /// <summary>What is left to do once everything has ended, in the same transaction.</summary>
    internal Task EndAsync(ServerDb db, string subject, CancellationToken ct) => FinishAsync(db, subject, ct);

    private protected abstract Task<bool> ChangeAsync(ServerDb db, string subject, DateTimeOffset now, CancellationToken ct);

    private protected virtual Task FinishAsync(ServerDb db, string subject, CancellationToken ct) => Task.CompletedTask;
}

/// <summary>A new password: by the person who knows the old one, or by a mailed link.</summary>
public sealed record NewPassword : StoredChange
{
    /// <summary>As Identity's hasher made it.</summary>
    public required string PasswordHash { get; init; }

    /// <summary>Hash of the link that allows it, which is used up with it; <see langword="null"/>: the person proved who they are.</summary>
    public string? LinkHash { get; init; }

    private protected override async Task<bool> ChangeAsync(ServerDb db, string subject, DateTimeOffset now, CancellationToken ct)
    {
        if (LinkHash is not null && !await MailLinkStore.UseOfAsync(db, LinkHash, subject, now, ct))
        {
            return false;
        }

        DateTimeOffset? at = now;
        DateTimeOffset? open = null;
        var changed = await db.Users
            .Where(user => user.Id == subject && user.DisabledAt == null)
            .ExecuteUpdateAsync(
                set => set
                    .SetProperty(user => user.PasswordHash, PasswordHash)
                    .SetProperty(user => user.PasswordChangedAt, at)
                    .SetProperty(user => user.PasswordBarredAt, open),
                ct);
        return changed == 1;
    }
}

/// <summary>
/// Somebody else was in the account. The password may not be used any more until it is reset by mail; what an intruder can have added or
/// changed to come back is undone.
/// </summary>
public sealed record BarredPassword : StoredChange
{
    /// <summary>Hash of the link that allows it, which is used up with it.</summary>
    public required string LinkHash { get; init; }

    /// <summary>Second factors added since then go: the person's own are set up again, an intruder's open nothing.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>Where the link went: an address that took its place since is put back, unless another account has it by now.</summary>
    public required string Email { get; init; }

    private protected override async Task<bool> ChangeAsync(ServerDb db, string subject, DateTimeOffset now, CancellationToken ct)
    {
        if (!await MailLinkStore.UseOfAsync(db, LinkHash, subject, now, ct))
        {
            return false;
        }

        DateTimeOffset? at = now;
        await db.Authenticators.Where(row => row.Subject == subject && row.CreatedAt >= Since).ExecuteDeleteAsync(ct);
        await db.Passkeys.Where(row => row.Subject == subject && row.CreatedAt >= Since).ExecuteDeleteAsync(ct);
        await db.RecoveryCodes.Where(row => row.Subject == subject && row.CreatedAt >= Since).ExecuteDeleteAsync(ct);
        await MailLinkStore.PutBackAsync(db, subject, Email, now, ct);
        return await db.Users.Where(user => user.Id == subject)
            .ExecuteUpdateAsync(set => set.SetProperty(user => user.PasswordBarredAt, at), ct) == 1;
    }
}

/// <summary>Somebody with the right to do so takes every second factor away, because the person lost them. Recorded with a reason.</summary>
public sealed record FactorsRemoved : StoredChange
{
    private protected override async Task<bool> ChangeAsync(ServerDb db, string subject, DateTimeOffset now, CancellationToken ct)
    {
        var removed = await db.Authenticators.Where(row => row.Subject == subject).ExecuteDeleteAsync(ct)
            + await db.Passkeys.Where(row => row.Subject == subject).ExecuteDeleteAsync(ct)
            + await db.RecoveryCodes.Where(row => row.Subject == subject).ExecuteDeleteAsync(ct);
        return removed > 0;
    }
}

/// <summary>The account may not be used any more. Refused for the last admin.</summary>
public sealed record Disabled : StoredChange
{
    private protected override async Task<bool> ChangeAsync(ServerDb db, string subject, DateTimeOffset now, CancellationToken ct)
    {
        if (await PersonPolicyStore.IsLastAdminAsync(db, subject, ct))
        {
            return false;
        }

        DateTimeOffset? at = now;
        return await db.Users.Where(user => user.Id == subject && user.DisabledAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(user => user.DisabledAt, at), ct) == 1;
    }
}
