using IdentityServer.Protocol.Consents;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdentityServer.Storage.Consents;

internal sealed class ConsentMapping : IEntityTypeConfiguration<Consent>
{
    public void Configure(EntityTypeBuilder<Consent> builder)
    {
        builder.ToTable("Consents");
        builder.HasKey(consent => new { consent.Subject, consent.ClientId });
        builder.Property(consent => consent.Subject).IsIdentifier();
        builder.Property(consent => consent.ClientId).IsIdentifier(Identifiers.NameLength);
        builder.HasIndex(consent => consent.ClientId);
    }
}
