using System.Data;
using IdentityServer.Protocol.Pending;
using IdentityServer.Storage.Deeds;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Pending;

internal sealed class PendingRequestStore(IStatements statements, IDeeds deeds) : IPendingRequestStore
{
    private static readonly ConditionalDeed Save = new(Statement.Insert(
        "PendingRequests",
        condition: null,
        ("Hash", DbType.AnsiString),
        ("ClientId", DbType.AnsiString),
        ("Parameters", DbType.String),
        ("StartedAt", DbType.Int64),
        ("ExpiresAt", DbType.Int64),
        ("ChosenSessionId", DbType.AnsiString),
        ("AnsweredSessionId", DbType.AnsiString),
        ("DeclinedSessionId", DbType.AnsiString),
        ("AllowedScopes", DbType.String)));

    private static readonly Statement Unexpired = new(
        """
        SELECT "ClientId", "Parameters", "StartedAt", "ExpiresAt", "ChosenSessionId", "AnsweredSessionId", "DeclinedSessionId",
        "AllowedScopes"
        FROM "PendingRequests" WHERE "Hash" = @Hash AND "ExpiresAt" > @Now
        """,
        ("Hash", DbType.AnsiString),
        ("Now", DbType.Int64));

    public async ValueTask SaveAsync(PendingRequest request, CancellationToken ct) =>
        await deeds.DecideAsync(
            Save,
            [
                request.Hash, request.ClientId, Columns.Of(request.Parameters), Columns.Of(request.StartedAt),
                Columns.Of(request.ExpiresAt), request.ChosenSessionId, request.AnsweredSessionId, request.DeclinedSessionId,
                Columns.Of(request.AllowedScopes),
            ],
            ct);

    public ValueTask<PendingRequest?> FindAsync(string hash, DateTimeOffset now, CancellationToken ct) => statements.FirstAsync(
        Unexpired,
        [hash, Columns.Of(now)],
        reader => new PendingRequest
        {
            Hash = hash,
            ClientId = reader.TextOrNull(0),
            Parameters = reader.Map(1),
            StartedAt = reader.Instant(2),
            ExpiresAt = reader.Instant(3),
            ChosenSessionId = reader.TextOrNull(4),
            AnsweredSessionId = reader.TextOrNull(5),
            DeclinedSessionId = reader.TextOrNull(6),
            AllowedScopes = reader.List(7),
        },
        ct);

    public async ValueTask AnswerAsync(PendingRequest request, CancellationToken ct) =>
        await deeds.RunAsync(
            (db, ct) => db.PendingRequests
                .Where(row => row.Hash == request.Hash)
                .ExecuteUpdateAsync(
                    set => set
                        .SetProperty(row => row.ChosenSessionId, request.ChosenSessionId)
                        .SetProperty(row => row.AnsweredSessionId, request.AnsweredSessionId)
                        .SetProperty(row => row.DeclinedSessionId, request.DeclinedSessionId)
                        .SetProperty(row => row.AllowedScopes, request.AllowedScopes),
                    ct),
            ct);

    public async ValueTask RemoveAsync(string hash, CancellationToken ct) =>
        await deeds.RunAsync(
            (db, ct) => db.PendingRequests.Where(row => row.Hash == hash).ExecuteDeleteAsync(ct),
            ct);
}
