using System.Data;
using System.Data.Common;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Keys;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Storage.Audit;
using IdentityServer.Storage.Deeds;
using IdentityServer.Storage.Revocations;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Keys;

internal sealed class KeyStore(IStatements statements, IDeeds deeds) : IKeyStore
{
    private static readonly Statement Keys = new(
        """
        SELECT "Kid", "Algorithm", "CreatedAt", "RevokedAt", "RevokedBecause", "ErasedAt", "PublicJwk", "SealedPrivateKey", "MasterKeyId"
        FROM "SigningKeys" ORDER BY "CreatedAt", "Kid"
        """);

    private static readonly Statement Activations = new(
        """SELECT "Id", "Algorithm", "Kid", "Predecessor", "At", "AwaitsReadiness", "ReleasedAt" FROM "KeyActivations" """);

    private static readonly Statement Plans = new(
        """SELECT "Algorithm", "Version", "Every", "Cron", "TimeZone", "IsForced", "SkippedThrough" FROM "KeyPlans" """);

    /// <summary>The first key of an algorithm, by hand: a first start must not wake EF Core either.</summary>
    private static readonly ConditionalDeed First = new(
        Statement.Insert(
            "KeyPlans",
            condition: null,
            ("Algorithm", DbType.AnsiString),
            ("Version", DbType.Int32),
            ("Every", DbType.Int64),
            ("Cron", DbType.String),
            ("TimeZone", DbType.String),
            ("IsForced", DbType.Boolean),
            ("SkippedThrough", DbType.Int64)),
        Statement.Insert(
            "SigningKeys",
            condition: null,
            ("Kid", DbType.AnsiString),
            ("Algorithm", DbType.AnsiString),
            ("CreatedAt", DbType.Int64),
            ("PublicJwk", DbType.String),
            ("SealedPrivateKey", DbType.Binary),
            ("MasterKeyId", DbType.AnsiString)),
        Statement.Insert(
            "KeyActivations",
            condition: null,
            ("Id", DbType.AnsiString),
            ("Algorithm", DbType.AnsiString),
            ("Kid", DbType.AnsiString),
            ("Predecessor", DbType.AnsiString),
            ("At", DbType.Int64),
            ("AwaitsReadiness", DbType.Boolean),
            ("ReleasedAt", DbType.Int64)),
        Statement.Insert("Changes", condition: null, ("Kind", DbType.Int32), ("Key", DbType.String), ("At", DbType.Int64)),
        AuditStatements.Insert);

    public ValueTask<IReadOnlyList<SigningKey>> ListAsync(CancellationToken ct) => statements.ListAsync(Keys, [], ReadKey, ct);

    public async ValueTask<KeyRows> LoadAsync(CancellationToken ct)
    {
        // Every change raises the version in a plan: what was read between two equal readings of the plans stood together.
        var before = await statements.ListAsync(Plans, [], ReadPlan, ct);
        while (true)
        {
            var activations = await statements.ListAsync(Activations, [], ReadActivation, ct);
            var keys = await ListAsync(ct);
            var after = await statements.ListAsync(Plans, [], ReadPlan, ct);
            if (before.Count == after.Count && before.All(plan => after.Contains(plan)))
            {
                return new KeyRows(keys, activations, after);
            }

            before = after;
        }
    }

    public async ValueTask<bool> TryChangeAsync(KeyChange change, AuditEvent audit, CancellationToken ct)
    {
        try
        {
            if (change is { Plan.Version: 0, AddedKey: { } key, AddedActivation: { } activation })
            {
                return await deeds.DecideAsync(First, FirstValues(change.Plan, key, activation, audit), ct);
            }

            return await deeds.RunAsync(
                async (db, ct) =>
                {
                    await ApplyAsync(db, change, ct);
                    db.Announce(ChangeKind.Key, (change.AddedKey ?? change.ChangedKey)?.Kid ?? change.Plan.Algorithm, audit.At);
                    db.Record(audit);
                    if (change.Ended is { } ended)
                    {
                        db.Revocations.Add(ended.Revocation);
                        db.Announce(ChangeKind.Revocation, RevocationList.Format(ended.Revocation), ended.Revocation.At);
                        await db.SaveWithReceiptAsync(ended.Receipt, ct);
                    }

                    await db.SaveChangesAsync(ct);
                    return true;
                },
                ct);
        }
        catch (Exception error) when (error is DbUpdateConcurrencyException || UniqueViolation.Is(error))
        {
            return false;
        }
    }

    private static object?[] FirstValues(KeyPlan plan, SigningKey key, KeyActivation activation, AuditEvent audit) =>
    [
        plan.Algorithm, 1, plan.Every is { } every ? (long)every.TotalMilliseconds : null, plan.Cron, plan.TimeZone, plan.IsForced,
        Columns.Of(plan.SkippedThrough),
        key.Kid, key.Algorithm, Columns.Of(key.CreatedAt), key.PublicJwk, key.SealedPrivateKey, key.MasterKeyId,
        activation.Id, activation.Algorithm, activation.Kid, activation.Predecessor, Columns.Of(activation.At), activation.AwaitsReadiness,
        Columns.Of(activation.ReleasedAt),
        (int)ChangeKind.Key, key.Kid, Columns.Of(audit.At),
        .. AuditStatements.Values(audit),
    ];

    public async ValueTask<bool> ResealAsync(
        string kid, byte[] box, byte[] resealed, string masterKeyId, AuditEvent audit, CancellationToken ct) => await deeds.RunAsync(
            async (db, ct) =>
            {
                if (await db.SigningKeys.Where(key => key.Kid == kid && key.SealedPrivateKey == box)
                    .ExecuteUpdateAsync(
                        set => set.SetProperty(key => key.SealedPrivateKey, resealed).SetProperty(key => key.MasterKeyId, masterKeyId), ct) == 0)
                {
                    return false;
                }

                db.Announce(ChangeKind.Key, kid, audit.At);
                db.Record(audit);
                await db.SaveChangesAsync(ct);
                return true;
            },
            ct);

    private static async Task ApplyAsync(ServerDb db, KeyChange change, CancellationToken ct)
    {
        // The plan's row decides who was first: the version that was read is the one it must still have.
        var plan = db.KeyPlans.Attach(change.Plan with { Version = change.Plan.Version + 1 });
        if (change.Plan.Version == 0)
        {
            plan.State = EntityState.Added;
        }
        else
        {
            plan.State = EntityState.Modified;
            plan.Property(row => row.Version).OriginalValue = change.Plan.Version;
        }

        if (change.ChangedActivation is { } changed)
        {
            db.KeyActivations.Update(changed);
        }

        if (change.RemovedActivation is { } removed && await db.KeyActivations.Where(row => row.Id == removed).ExecuteDeleteAsync(ct) == 0)
        {
            throw new DbUpdateConcurrencyException("The activation is gone.");
        }

        if (change.ChangedKey is { } key)
        {
            var row = db.SigningKeys.Update(key with { RevokedBecause = BoundedText.Cut(key.RevokedBecause, SigningKeyMapping.ReasonLength) });

            // The box may have been sealed anew since it was read; it is only ever erased here.
            row.Property(stored => stored.MasterKeyId).IsModified = false;
            row.Property(stored => stored.SealedPrivateKey).IsModified = key.SealedPrivateKey is null;
        }

        // First what makes room: no two activations may follow the same one, not even between two statements.
        await db.SaveChangesAsync(ct);
        if (change.AddedKey is not null)
        {
            db.SigningKeys.Add(change.AddedKey);
        }

        if (change.AddedActivation is not null)
        {
            db.KeyActivations.Add(change.AddedActivation);
        }
    }

    private static SigningKey ReadKey(DbDataReader reader) => new()
    {
        Kid = reader.GetString(0),
        Algorithm = reader.GetString(1),
        CreatedAt = reader.Instant(2),
        RevokedAt = reader.InstantOrNull(3),
        RevokedBecause = reader.TextOrNull(4),
        ErasedAt = reader.InstantOrNull(5),
        PublicJwk = reader.GetString(6),
        SealedPrivateKey = reader.BytesOrNull(7),
        MasterKeyId = reader.GetString(8),
    };

    private static KeyActivation ReadActivation(DbDataReader reader) => new()
    {
        Id = reader.GetString(0),
        Algorithm = reader.GetString(1),
        Kid = reader.GetString(2),
        Predecessor = reader.GetString(3),
        At = reader.Instant(4),
        AwaitsReadiness = reader.GetBoolean(5),
        ReleasedAt = reader.InstantOrNull(6),
    };

    private static KeyPlan ReadPlan(DbDataReader reader) => new()
    {
        Algorithm = reader.GetString(0),
        Version = reader.GetInt32(1),
        Every = reader.DurationOrNull(2),
        Cron = reader.TextOrNull(3),
        TimeZone = reader.GetString(4),
        IsForced = reader.GetBoolean(5),
        SkippedThrough = reader.InstantOrNull(6),
    };
}
