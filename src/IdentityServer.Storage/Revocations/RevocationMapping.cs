using IdentityServer.Protocol.Revocations;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdentityServer.Storage.Revocations;

internal sealed class RevocationMapping : IEntityTypeConfiguration<Revocation>
{
    /// <summary>
    /// Column: when every session and grant that the cutoff ended had been marked as ended. Until then the cutoff is all that keeps them
    /// dead, so it stays.
    /// </summary>
    public const string MarkedAt = "MarkedAt";

    public void Configure(EntityTypeBuilder<Revocation> builder)
    {
        builder.ToTable("Revocations");
        builder.HasKey(revocation => new { revocation.Kind, revocation.Key });
        builder.Property(revocation => revocation.Key).IsIdentifier(Identifiers.NameLength);
        builder.Property(revocation => revocation.ExceptSessionId).IsIdentifier();
        builder.Property<DateTimeOffset?>(MarkedAt);
        builder.HasIndex(revocation => revocation.ExpiresAt);
    }
}

internal sealed class ReceiptMapping : IEntityTypeConfiguration<Receipt>
{
    public const int NoteLength = 400;

    public void Configure(EntityTypeBuilder<Receipt> builder)
    {
        builder.ToTable("Receipts");
        builder.HasKey(receipt => receipt.Id);
        builder.Property(receipt => receipt.Id).IsIdentifier();
        builder.Property(receipt => receipt.Key).IsIdentifier(Identifiers.NameLength);
        builder.Property(receipt => receipt.Subject).IsIdentifier();
        builder.Property(receipt => receipt.ClientId).IsIdentifier(Identifiers.NameLength);
        builder.Property(receipt => receipt.SessionId).IsIdentifier();
        builder.Property(receipt => receipt.ExceptSessionId).IsIdentifier();
        builder.Property(receipt => receipt.Reason).IsIdentifier();
        builder.Property(receipt => receipt.Note).HasMaxLength(NoteLength);
        builder.Property(receipt => receipt.Actor).IsIdentifier(Identifiers.NameLength);
        builder.HasIndex(receipt => new { receipt.At, receipt.Id });
        builder.HasIndex(receipt => receipt.NotifiedAt);
    }
}
