using System.Data;
using System.Data.Common;
using IdentityServer.Protocol.Audit;
using IdentityServer.Storage.Deeds;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Devices;

internal sealed class DeviceStore(IStatements statements, IDeeds deeds) : IDevices
{
    private const string Select = """
        SELECT "Id", "Subject", "BrowserHash", "CreatedAt", "LastSeenAt", "RememberedUntil", "ExpiresAt", "Address", "UserAgent"
        FROM "Devices" WHERE "Subject" = @Subject
        """;

    private static readonly Statement OfBrowser = new(
        $"""{Select} AND "BrowserHash" = @BrowserHash AND "ExpiresAt" > @Now""",
        ("Subject", DbType.AnsiString),
        ("BrowserHash", DbType.AnsiString),
        ("Now", DbType.Int64));

    private static readonly Statement OfPerson = new(
        $"""{Select} AND "ExpiresAt" > @Now ORDER BY "LastSeenAt" DESC, "Id" """,
        ("Subject", DbType.AnsiString),
        ("Now", DbType.Int64));

    private static readonly ConditionalDeed Add = new(Statement.Insert(
        "Devices",
        condition: null,
        ("Id", DbType.AnsiString),
        ("Subject", DbType.AnsiString),
        ("BrowserHash", DbType.AnsiString),
        ("CreatedAt", DbType.Int64),
        ("LastSeenAt", DbType.Int64),
        ("RememberedUntil", DbType.Int64),
        ("ExpiresAt", DbType.Int64),
        ("Address", DbType.String),
        ("UserAgent", DbType.String)));

    private static readonly Statement Seen = new(
        """
        UPDATE "Devices" SET "LastSeenAt" = @Now, "ExpiresAt" = @ExpiresAt, "Address" = @Address, "UserAgent" = @UserAgent,
        "RememberedUntil" = COALESCE(@RememberedUntil, "RememberedUntil")
        WHERE "Subject" = @Subject AND "BrowserHash" = @BrowserHash
        """,
        ("Now", DbType.Int64),
        ("ExpiresAt", DbType.Int64),
        ("Address", DbType.String),
        ("UserAgent", DbType.String),
        ("RememberedUntil", DbType.Int64),
        ("Subject", DbType.AnsiString),
        ("BrowserHash", DbType.AnsiString));

    public ValueTask<Device?> FindAsync(string subject, string browserHash, DateTimeOffset now, CancellationToken ct) =>
        statements.FirstAsync(OfBrowser, [subject, browserHash, Columns.Of(now)], Read, ct);

    public ValueTask<IReadOnlyList<Device>> ListAsync(string subject, DateTimeOffset now, CancellationToken ct) =>
        statements.ListAsync(OfPerson, [subject, Columns.Of(now)], Read, ct);

    public async ValueTask<string> SeenAsync(Device device, CancellationToken ct)
    {
        var userAgent = BoundedText.Cut(device.UserAgent, DeviceMapping.UserAgentLength);
        if (!await MoveAsync())
        {
            try
            {
                await deeds.DecideAsync(
                    Add,
                    [
                        device.Id, device.Subject, device.BrowserHash, Columns.Of(device.CreatedAt), Columns.Of(device.LastSeenAt),
                        Columns.Of(device.RememberedUntil), Columns.Of(device.ExpiresAt), device.Address, userAgent,
                    ],
                    ct);
                return device.Id;
            }
            catch (DbException error) when (UniqueViolation.Is(error))
            {
                // Another tab of the browser signed in between the two.
                await MoveAsync();
            }
        }

        var known = await FindAsync(device.Subject, device.BrowserHash, device.LastSeenAt, ct);
        return known?.Id ?? device.Id;

        async ValueTask<bool> MoveAsync() => await deeds.ExecuteAsync(
            Seen,
            [
                Columns.Of(device.LastSeenAt), Columns.Of(device.ExpiresAt), device.Address, userAgent,
                Columns.Of(device.RememberedUntil), device.Subject, device.BrowserHash,
            ],
            ct) == 1;
    }

    public async ValueTask<bool> ForgetFactorAsync(string subject, string id, AuditEvent audit, CancellationToken ct) =>
        await deeds.RunAsync(
            async (db, ct) =>
            {
                DateTimeOffset? none = null;
                if (await db.Devices.Where(device => device.Id == id && device.Subject == subject)
                    .ExecuteUpdateAsync(set => set.SetProperty(device => device.RememberedUntil, none), ct) == 0)
                {
                    return false;
                }

                db.Record(audit);
                await db.SaveChangesAsync(ct);
                return true;
            },
            ct);

    public async ValueTask<bool> ForgetAsync(string subject, string id, AuditEvent audit, CancellationToken ct) =>
        await deeds.RunAsync(
            async (db, ct) =>
            {
                if (await db.Devices.Where(device => device.Id == id && device.Subject == subject).ExecuteDeleteAsync(ct) == 0)
                {
                    return false;
                }

                db.Record(audit);
                await db.SaveChangesAsync(ct);
                return true;
            },
            ct);

    private static Device Read(DbDataReader reader) => new()
    {
        Id = reader.GetString(0),
        Subject = reader.GetString(1),
        BrowserHash = reader.GetString(2),
        CreatedAt = reader.Instant(3),
        LastSeenAt = reader.Instant(4),
        RememberedUntil = reader.InstantOrNull(5),
        ExpiresAt = reader.Instant(6),
        Address = reader.TextOrNull(7),
        UserAgent = reader.TextOrNull(8),
    };
}
