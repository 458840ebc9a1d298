using System.Data;
using IdentityServer.Protocol.Changes;
using IdentityServer.Storage.Deeds;

namespace IdentityServer.Storage.Changes;

internal sealed class NodeStore(IDeeds deeds) : INodes
{
    /// <summary>A server that has written nothing for so long is gone: it says how it goes every ten seconds, however quiet it is.</summary>
    public static readonly TimeSpan Silent = TimeSpan.FromSeconds(30);

    private static readonly Statement Update = new(
        """UPDATE "Nodes" SET "SeenAt" = @SeenAt, "Floor" = @Floor, "Recent" = @Recent WHERE "Id" = @Id""",
        ("SeenAt", DbType.Int64), ("Floor", DbType.Int64), ("Recent", DbType.String), ("Id", DbType.AnsiString));

    private static readonly Statement Insert = Statement.Insert(
        "Nodes",
        condition: null,
        ("Id", DbType.AnsiString),
        ("StartedAt", DbType.Int64),
        ("SeenAt", DbType.Int64),
        ("Floor", DbType.Int64),
        ("Recent", DbType.String));

    private static readonly Statement Delete = new("""DELETE FROM "Nodes" WHERE "Id" = @Id""", ("Id", DbType.AnsiString));

    public async ValueTask SayAsync(string nodeId, Heard heard, DateTimeOffset startedAt, DateTimeOffset now, CancellationToken ct)
    {
        var recent = string.Join(',', heard.Recent);
        if (await deeds.ExecuteAsync(Update, [Columns.Of(now), heard.Floor, recent, nodeId], ct) == 0)
        {
            await deeds.ExecuteAsync(Insert, [nodeId, Columns.Of(startedAt), Columns.Of(now), heard.Floor, recent], ct);
        }
    }

    public async ValueTask LeaveAsync(string nodeId, CancellationToken ct) => await deeds.ExecuteAsync(Delete, [nodeId], ct);
}
