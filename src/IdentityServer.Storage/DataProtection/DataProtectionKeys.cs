using System.Xml.Linq;
using IdentityServer.Storage.Deeds;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.DataProtection;

/// <summary>Keeps the Data Protection ring in the database, so that every node reads every node's cookies.</summary>
internal sealed class DataProtectionKeys(IStatements statements, IDbContextFactory<ServerDb> databases) : IXmlRepository
{
    private static readonly Statement All = new("""SELECT "Xml" FROM "DataProtectionKeys" ORDER BY "Id" """);

    // The interface knows no waiting; the ring is read once a day.
    public IReadOnlyCollection<XElement> GetAllElements() =>
        statements.ListAsync(All, [], reader => XElement.Parse(reader.GetString(0)), CancellationToken.None)
            .AsTask().GetAwaiter().GetResult();

    public void StoreElement(XElement element, string friendlyName)
    {
        using var db = databases.CreateDbContext();
        db.DataProtectionKeys.Add(new DataProtectionKey
        {
            FriendlyName = friendlyName,
            Xml = element.ToString(SaveOptions.DisableFormatting),
        });
        db.SaveChanges();
    }
}
