using System.Data;
using IdentityServer.Storage.Deeds;

namespace IdentityServer.Storage.SignIns;

internal sealed class PartialSignInStore(IStatements statements, IDeeds deeds) : IPartialSignIns
{
    private static readonly ConditionalDeed Save = new(Statement.Insert(
        "PartialSignIns",
        condition: null,
        ("Hash", DbType.AnsiString),
        ("Subject", DbType.AnsiString),
        ("Amr", DbType.String),
        ("ProvenAt", DbType.Int64),
        ("KeepSignedIn", DbType.Boolean),
        ("SessionId", DbType.AnsiString),
        ("ExpiresAt", DbType.Int64)));

    private static readonly Statement Unexpired = new(
        """
        SELECT "Subject", "Amr", "ProvenAt", "KeepSignedIn", "SessionId", "ExpiresAt" FROM "PartialSignIns"
        WHERE "Hash" = @Hash AND "ExpiresAt" > @Now
        """,
        ("Hash", DbType.AnsiString),
        ("Now", DbType.Int64));

    private static readonly Statement Take = new(
        """DELETE FROM "PartialSignIns" WHERE "Hash" = @Hash AND "ExpiresAt" > @Now""",
        ("Hash", DbType.AnsiString),
        ("Now", DbType.Int64));

    public async ValueTask SaveAsync(PartialSignIn signIn, CancellationToken ct) => await deeds.DecideAsync(
        Save,
        [
            signIn.Hash, signIn.Subject, Columns.Of(signIn.Amr), Columns.Of(signIn.ProvenAt), signIn.KeepSignedIn, signIn.SessionId,
            Columns.Of(signIn.ExpiresAt),
        ],
        ct);

    public ValueTask<PartialSignIn?> FindAsync(string hash, DateTimeOffset now, CancellationToken ct) => statements.FirstAsync(
        Unexpired,
        [hash, Columns.Of(now)],
        reader => new PartialSignIn
        {
            Hash = hash,
            Subject = reader.GetString(0),
            Amr = reader.List(1),
            ProvenAt = reader.Instant(2),
            KeepSignedIn = reader.GetBoolean(3),
            SessionId = reader.TextOrNull(4),
            ExpiresAt = reader.Instant(5),
        },
        ct);

    public async ValueTask<bool> TakeAsync(string hash, DateTimeOffset now, CancellationToken ct) =>
        await deeds.ExecuteAsync(Take, [hash, Columns.Of(now)], ct) == 1;
}
