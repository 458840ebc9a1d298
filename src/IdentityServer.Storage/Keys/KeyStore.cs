using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Keys;
using IdentityServer.Storage.Deeds;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Keys;

internal sealed class KeyStore(IStatements statements, IDeeds deeds) : IKeyStore
{
    private static readonly Statement All = new(
        """
        SELECT "Kid", "Algorithm", "Predecessor", "CreatedAt", "ActiveFrom", "RevokedAt", "ErasedAt", "PublicJwk", "SealedPrivateKey",
        "MasterKeyId" FROM "SigningKeys" ORDER BY "ActiveFrom", "Kid"
        """);

    public ValueTask<IReadOnlyList<SigningKey>> ListAsync(CancellationToken ct) => statements.ListAsync(
        All,
        [],
        reader => new SigningKey
        {
            Kid = reader.GetString(0),
            Algorithm = reader.GetString(1),
            Predecessor = reader.GetString(2),
            CreatedAt = reader.Instant(3),
            ActiveFrom = reader.Instant(4),
            RevokedAt = reader.InstantOrNull(5),
            ErasedAt = reader.InstantOrNull(6),
            PublicJwk = reader.GetString(7),
            SealedPrivateKey = reader.BytesOrNull(8),
            MasterKeyId = reader.GetString(9),
        },
        ct);

    public async ValueTask<bool> AddAsync(SigningKey key, AuditEvent audit, CancellationToken ct)
    {
        try
        {
            return await deeds.RunAsync(
                async (db, ct) =>
                {
                    db.SigningKeys.Add(key);
                    db.Announce(ChangeKind.Key, key.Kid, audit.At);
                    db.Record(audit);
                    await db.SaveChangesAsync(ct);
                    return true;
                },
                ct);
        }
        catch (DbUpdateException error) when (UniqueViolation.Is(error))
        {
            return false;
        }
    }
}
