using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Revocations;

namespace IdentityServer.Storage.Revocations;

/// <summary>How a receipt gets into the transaction of its ending.</summary>
internal static class ReceiptRows
{
    /// <summary>Saves what the transaction has announced so far, and the receipt with the number of the last of it.</summary>
    public static async Task SaveWithReceiptAsync(this ServerDb db, Receipt receipt, CancellationToken ct)
    {
        var announced = db.ChangeTracker.Entries<Change>().Select(entry => entry.Entity).ToList();
        await db.SaveChangesAsync(ct);
        db.Receipts.Add(receipt with
        {
            Note = BoundedText.Cut(receipt.Note, ReceiptMapping.NoteLength),
            Sequence = announced.Select(change => change.Sequence).DefaultIfEmpty().Max(),
        });
        await db.SaveChangesAsync(ct);
    }
}
