using IdentityServer.Protocol.Keys;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdentityServer.Storage.Keys;

internal sealed class SigningKeyMapping : IEntityTypeConfiguration<SigningKey>
{
    public void Configure(EntityTypeBuilder<SigningKey> builder)
    {
        builder.ToTable("SigningKeys");
        builder.HasKey(key => key.Kid);
        builder.Property(key => key.Kid).IsIdentifier();
        builder.Property(key => key.Algorithm).IsIdentifier();
        builder.Property(key => key.Predecessor).IsIdentifier();
        builder.Property(key => key.MasterKeyId).IsIdentifier(Identifiers.NameLength);

        // Two nodes that roll over at the same moment cannot both add a successor.
        builder.HasIndex(key => new { key.Algorithm, key.Predecessor }).IsUnique();
    }
}
