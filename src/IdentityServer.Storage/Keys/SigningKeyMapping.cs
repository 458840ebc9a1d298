using IdentityServer.Protocol.Keys;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdentityServer.Storage.Keys;

internal sealed class SigningKeyMapping : IEntityTypeConfiguration<SigningKey>
{
    public const int ReasonLength = 400;

    public void Configure(EntityTypeBuilder<SigningKey> builder)
    {
        builder.ToTable("SigningKeys");
        builder.HasKey(key => key.Kid);
        builder.Property(key => key.Kid).IsIdentifier();
        builder.Property(key => key.Algorithm).IsIdentifier();
        builder.Property(key => key.RevokedBecause).HasMaxLength(ReasonLength);
        builder.Property(key => key.MasterKeyId).IsIdentifier(Identifiers.NameLength);
    }
}

internal sealed class KeyActivationMapping : IEntityTypeConfiguration<KeyActivation>
{
    public void Configure(EntityTypeBuilder<KeyActivation> builder)
    {
        builder.ToTable("KeyActivations");
        builder.HasKey(span => span.Id);
        builder.Property(span => span.Id).IsIdentifier();
        builder.Property(span => span.Algorithm).IsIdentifier();
        builder.Property(span => span.Kid).IsIdentifier();
        builder.Property(span => span.Predecessor).IsIdentifier();
        builder.Ignore(span => span.EffectiveAt);

        // Two nodes that roll over at the same moment cannot both add a successor.
        builder.HasIndex(span => new { span.Algorithm, span.Predecessor }).IsUnique();
        builder.HasOne<SigningKey>().WithMany().HasForeignKey(span => span.Kid).OnDelete(DeleteBehavior.Restrict);
    }
}

internal sealed class KeyPlanMapping : IEntityTypeConfiguration<KeyPlan>
{
    public void Configure(EntityTypeBuilder<KeyPlan> builder)
    {
        builder.ToTable("KeyPlans");
        builder.HasKey(plan => plan.Algorithm);
        builder.Property(plan => plan.Algorithm).IsIdentifier();
        builder.Property(plan => plan.Cron).HasMaxLength(200);
        builder.Property(plan => plan.TimeZone).HasMaxLength(100);
        builder.Property(plan => plan.Version).IsConcurrencyToken();
    }
}
