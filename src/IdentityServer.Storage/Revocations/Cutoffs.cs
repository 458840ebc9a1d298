using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Protocol.Sessions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdentityServer.Storage.Revocations;

/// <summary>
/// The numbers of cutoffs: one row. A session or grant takes the number as it stands when it is opened, a cutoff raises it, and what has a
/// lower number than a cutoff of its person or client is dead. No clock decides, so nodes whose clocks differ agree (docs/adr/0017).
/// </summary>
public sealed record EpochCounter
{
    public int Id { get; init; } = 1;

    public long Value { get; init; }
}

internal sealed class EpochMapping : IEntityTypeConfiguration<EpochCounter>
{
    public void Configure(EntityTypeBuilder<EpochCounter> builder)
    {
        builder.ToTable("Epochs");
        builder.HasKey(row => row.Id);
        builder.Property(row => row.Id).ValueGeneratedNever();
        builder.HasData(new EpochCounter());
    }
}

/// <summary>Whether a cutoff has ended a session or a grant, in the words of SQL and of queries.</summary>
internal static class Cutoffs
{
    /// <summary>SQL: the instants of the cutoffs that ended the grant of that alias.</summary>
    public static string OfGrant(string grant) => $"""
        "Revocations" AS c WHERE c."Epoch" > {grant}."Epoch" AND ((c."Kind" = 3 AND c."Key" = {grant}."Subject")
        OR (c."Kind" = 4 AND c."Key" = {grant}."ClientId") OR (c."Kind" = 5 AND c."Key" = '*'))
        """;

    /// <summary>SQL: the same for the session of that alias.</summary>
    public static string OfSession(string session) => $"""
        "Revocations" AS c WHERE c."Epoch" > {session}."Epoch" AND ((c."Kind" = 3 AND c."Key" = {session}."Subject")
        OR (c."Kind" = 5 AND c."Key" = '*'))
        """;

    /// <summary>Sessions that no cutoff has ended.</summary>
    public static IQueryable<Session> NotCut(this IQueryable<Session> sessions, ServerDb db) => sessions.Where(
        session => !db.Revocations.Any(cutoff => cutoff.Epoch > session.Epoch
            && ((cutoff.Kind == RevocationKind.Subject && cutoff.Key == session.Subject)
                || (cutoff.Kind == RevocationKind.Everything && cutoff.Key == Revocation.Everyone))));

    /// <summary>Grants that no cutoff has ended.</summary>
    public static IQueryable<Grant> NotCut(this IQueryable<Grant> grants, ServerDb db) => grants.Where(
        grant => !db.Revocations.Any(cutoff => cutoff.Epoch > grant.Epoch
            && ((cutoff.Kind == RevocationKind.Subject && cutoff.Key == grant.Subject)
                || (cutoff.Kind == RevocationKind.Client && cutoff.Key == grant.ClientId)
                || (cutoff.Kind == RevocationKind.Everything && cutoff.Key == Revocation.Everyone))));

    /// <summary>
    /// Puts a cutoff into the transaction. Raising the number locks its row until the commit, so cutoffs come one after another, and what
    /// is opened meanwhile has an older number.
    /// </summary>
    public static async Task<Revocation> CutAsync(this ServerDb db, Revocation cutoff, string? exceptSessionId, CancellationToken ct)
    {
        await db.Epochs.ExecuteUpdateAsync(set => set.SetProperty(row => row.Value, row => row.Value + 1), ct);
        var epoch = await db.Epochs.Select(row => row.Value).SingleAsync(ct);

        // What goes on is as old as the cutoff; dead already, it stays dead.
        var goesOn = exceptSessionId is not null && await db.Sessions
            .Where(session => session.Id == exceptSessionId && session.Subject == cutoff.Key && session.EndedAt == null)
            .NotCut(db)
            .ExecuteUpdateAsync(set => set.SetProperty(session => session.Epoch, epoch), ct) == 1;
        if (goesOn)
        {
            await db.Grants.Where(grant => grant.SessionId == exceptSessionId && grant.EndedAt == null)
                .NotCut(db)
                .ExecuteUpdateAsync(set => set.SetProperty(grant => grant.Epoch, epoch), ct);
        }

        cutoff = cutoff with { Epoch = epoch, ExceptSessionId = goesOn ? exceptSessionId : null };
        if (await db.Revocations.Where(row => row.Kind == cutoff.Kind && row.Key == cutoff.Key)
            .ExecuteUpdateAsync(
                set => set
                    .SetProperty(row => row.At, cutoff.At)
                    .SetProperty(row => row.ExpiresAt, cutoff.ExpiresAt)
                    .SetProperty(row => row.Epoch, cutoff.Epoch)
                    .SetProperty(row => row.ExceptSessionId, cutoff.ExceptSessionId)
                    .SetProperty(row => EF.Property<DateTimeOffset?>(row, RevocationMapping.MarkedAt), (DateTimeOffset?)null),
                ct) == 0)
        {
            db.Revocations.Add(cutoff);
        }

        return cutoff;
    }
}
