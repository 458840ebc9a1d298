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

    /// <summary>The mail address the link went to is the person's own: reading it proved that.</summary>
    public bool ProvesEmail { get; init; }

    private protected override async Task<bool> ChangeAsync(ServerDb db, string subject, DateTimeOffset now, CancellationToken ct)
    {
        DateTimeOffset? at = now;
        if (LinkHash is not null && await db.MailLinks
            .Where(link => link.Hash == LinkHash && link.Subject == subject && link.UsedAt == null && link.ExpiresAt > now)
            .ExecuteUpdateAsync(set => set.SetProperty(link => link.UsedAt, at), ct) != 1)
        {
            return false;
        }

        DateTimeOffset? open = null;
        var changed = await db.Users
            .Where(user => user.Id == subject && user.DisabledAt == null)
            .ExecuteUpdateAsync(
                set => set
                    .SetProperty(user => user.PasswordHash, PasswordHash)
                    .SetProperty(user => user.PasswordChangedAt, at)
                    .SetProperty(user => user.PasswordBarredAt, open)
                    .SetProperty(user => user.EmailConfirmed, user => user.EmailConfirmed || ProvesEmail),
                ct);
        return changed == 1;
    }
}

/// <summary>The password may not be used any more, as somebody else may know it; a reset by mail ends that.</summary>
public sealed record BarredPassword : StoredChange
{
    /// <summary>Hash of the link that allows it, which is used up with it; <see langword="null"/>: the person or an admin said so.</summary>
    public string? LinkHash { get; init; }

    private protected override async Task<bool> ChangeAsync(ServerDb db, string subject, DateTimeOffset now, CancellationToken ct)
    {
        DateTimeOffset? at = now;
        if (LinkHash is not null && await db.MailLinks
            .Where(link => link.Hash == LinkHash && link.Subject == subject && link.UsedAt == null && link.ExpiresAt > now)
            .ExecuteUpdateAsync(set => set.SetProperty(link => link.UsedAt, at), ct) != 1)
        {
            return false;
        }

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
