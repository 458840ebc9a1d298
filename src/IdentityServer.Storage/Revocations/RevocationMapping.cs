using IdentityServer.Protocol.Revocations;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdentityServer.Storage.Revocations;

internal sealed class RevocationMapping : IEntityTypeConfiguration<Revocation>
{
    public void Configure(EntityTypeBuilder<Revocation> builder)
    {
        builder.ToTable("Revocations");
        builder.HasKey(revocation => new { revocation.Kind, revocation.Key });
        builder.Property(revocation => revocation.Key).IsIdentifier();
        builder.HasIndex(revocation => revocation.ExpiresAt);
    }
}
