using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdentityServer.Storage.SignIns;

internal sealed class SignInMapping : IEntityTypeConfiguration<PartialSignIn>, IEntityTypeConfiguration<Ceremony>
{
    public void Configure(EntityTypeBuilder<PartialSignIn> builder)
    {
        builder.ToTable("PartialSignIns");
        builder.HasKey(signIn => signIn.Hash);
        builder.Property(signIn => signIn.Hash).IsIdentifier(Identifiers.HashLength);
        builder.Property(signIn => signIn.Subject).IsIdentifier();
        builder.Property(signIn => signIn.SessionId).IsIdentifier();
        builder.HasIndex(signIn => signIn.Subject);
        builder.HasIndex(signIn => signIn.ExpiresAt);
    }

    public void Configure(EntityTypeBuilder<Ceremony> builder)
    {
        builder.ToTable("Ceremonies");
        builder.HasKey(ceremony => ceremony.Hash);
        builder.Property(ceremony => ceremony.Hash).IsIdentifier(Identifiers.HashLength);
        builder.Property(ceremony => ceremony.BrowserHash).IsIdentifier(Identifiers.HashLength);
        builder.Property(ceremony => ceremony.Subject).IsIdentifier();
        builder.HasIndex(ceremony => ceremony.ExpiresAt);
    }
}
