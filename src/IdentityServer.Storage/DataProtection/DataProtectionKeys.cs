using System.Data;
using System.Xml.Linq;
using IdentityServer.Protocol.Audit;
using IdentityServer.Storage.Deeds;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.DataProtection;

/// <summary>Keeps the Data Protection ring in the database, so that every node reads every node's cookies.</summary>
internal sealed class DataProtectionKeys(IStatements statements, IDeeds deeds)
    : IXmlRepository, IDataProtectionKeys
{
    private static readonly Statement All = new("""SELECT "Id", "FriendlyName", "Xml" FROM "DataProtectionKeys" ORDER BY "Id" """);

    /// <summary>By hand: every first start adds one, and must not wake EF Core.</summary>
    private static readonly ConditionalDeed Add = new(Statement.Insert(
        "DataProtectionKeys", condition: null, ("FriendlyName", DbType.String), ("Xml", DbType.String)));

    public ValueTask<IReadOnlyList<DataProtectionKey>> ListAsync(CancellationToken ct) => statements.ListAsync(
        All,
        [],
        reader => new DataProtectionKey { Id = reader.GetInt32(0), FriendlyName = reader.TextOrNull(1), Xml = reader.GetString(2) },
        ct);

    // The interface knows no waiting; the ring is read once a day.
    public IReadOnlyCollection<XElement> GetAllElements() =>
        [.. ListAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult().Select(row => XElement.Parse(row.Xml))];

    public void StoreElement(XElement element, string friendlyName) => deeds
        .DecideAsync(Add, [friendlyName, element.ToString(SaveOptions.DisableFormatting)], CancellationToken.None)
        .GetAwaiter().GetResult();

    public async ValueTask<bool> ResealAsync(DataProtectionKey row, string xml, AuditEvent audit, CancellationToken ct) =>
        await deeds.RunAsync(
            async (db, ct) =>
            {
                if (await db.DataProtectionKeys.Where(key => key.Id == row.Id && key.Xml == row.Xml)
                    .ExecuteUpdateAsync(set => set.SetProperty(key => key.Xml, xml), ct) == 0)
                {
                    return false;
                }

                db.Record(audit);
                await db.SaveChangesAsync(ct);
                return true;
            },
            ct);
}
