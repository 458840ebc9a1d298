using System.Data;
using IdentityServer.Storage.Deeds;

namespace IdentityServer.Storage.SignIns;

/// <remarks>A ceremony that was taken keeps its row until it expires, without its challenge: so a replay is known for what it is.</remarks>
internal sealed class CeremonyStore(IStatements statements, IDeeds deeds) : ICeremonies
{
    private static readonly ConditionalDeed Save = new(Statement.Insert(
        "Ceremonies",
        condition: null,
        ("Hash", DbType.AnsiString),
        ("Kind", DbType.Int32),
        ("BrowserHash", DbType.AnsiString),
        ("Subject", DbType.AnsiString),
        ("State", DbType.String),
        ("ExpiresAt", DbType.Int64)));

    private static readonly Statement ByHash = new(
        """SELECT "Kind", "BrowserHash", "Subject", "State", "ExpiresAt" FROM "Ceremonies" WHERE "Hash" = @Hash""",
        ("Hash", DbType.AnsiString));

    private static readonly Statement Take = new(
        """
        UPDATE "Ceremonies" SET "State" = ''
        WHERE "Hash" = @Hash AND "Kind" = @Kind AND "BrowserHash" = @BrowserHash AND "ExpiresAt" > @Now AND "State" <> ''
        """,
        ("Hash", DbType.AnsiString),
        ("Kind", DbType.Int32),
        ("BrowserHash", DbType.AnsiString),
        ("Now", DbType.Int64));

    public async ValueTask SaveAsync(Ceremony ceremony, CancellationToken ct) =>
        await deeds.DecideAsync(
            Save,
            [
                ceremony.Hash, (int)ceremony.Kind, ceremony.BrowserHash, ceremony.Subject, ceremony.State,
                Columns.Of(ceremony.ExpiresAt),
            ],
            ct);

    public async ValueTask<TakenCeremony> TakeAsync(
        string hash, CeremonyKind kind, string browserHash, DateTimeOffset now, CancellationToken ct)
    {
        // 1 what there is
        var ceremony = await statements.FirstAsync(
            ByHash,
            [hash],
            reader => new Ceremony
            {
                Hash = hash,
                Kind = (CeremonyKind)reader.GetInt32(0),
                BrowserHash = reader.GetString(1),
                Subject = reader.TextOrNull(2),
                State = reader.GetString(3),
                ExpiresAt = reader.Instant(4),
            },
            ct);

        // 2 whether it may be taken: this one statement decides, whoever else tries
        if (ceremony is not null && await deeds.ExecuteAsync(Take, [hash, (int)kind, browserHash, Columns.Of(now)], ct) == 1)
        {
            return TakenCeremony.Of(ceremony);
        }

        // 3 if not, why
        return TakenCeremony.Not(ceremony switch
        {
            null => CeremonyFault.Unknown,
            _ when ceremony.BrowserHash != browserHash => CeremonyFault.OtherBrowser,
            _ when ceremony.Kind != kind => CeremonyFault.OtherKind,
            _ when ceremony.State.Length > 0 && ceremony.ExpiresAt <= now => CeremonyFault.Expired,
            _ => CeremonyFault.Replayed,
        });
    }
}
