using IdentityServer.Storage.Users;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdentityServer.Storage.Factors;

internal sealed class FactorMapping :
    IEntityTypeConfiguration<Authenticator>,
    IEntityTypeConfiguration<RecoveryCode>,
    IEntityTypeConfiguration<Passkey>
{
    /// <summary>What a person may call a factor, in UTF-16 units.</summary>
    public const int NameLength = 100;

    /// <summary>WebAuthn Level 3 §4: a credential id has 1023 octets at most.</summary>
    public const int LongestCredentialId = 1023;

    public void Configure(EntityTypeBuilder<Authenticator> builder)
    {
        builder.ToTable("Authenticators");
        builder.HasKey(authenticator => authenticator.Id);
        builder.Property(authenticator => authenticator.Id).IsIdentifier();
        builder.Property(authenticator => authenticator.Name).HasMaxLength(NameLength);
        BelongTo(builder, nameof(Authenticator.Subject));
    }

    public void Configure(EntityTypeBuilder<RecoveryCode> builder)
    {
        builder.ToTable("RecoveryCodes");
        builder.HasKey(code => code.Id);
        builder.Property(code => code.Id).IsIdentifier();
        builder.Property(code => code.Salt).IsIdentifier();
        builder.Property(code => code.Hash).IsIdentifier(128);
        BelongTo(builder, nameof(RecoveryCode.Subject));
    }

    public void Configure(EntityTypeBuilder<Passkey> builder)
    {
        builder.ToTable("Passkeys");
        builder.HasKey(passkey => passkey.Id);
        builder.Property(passkey => passkey.Id).IsIdentifier(Identifiers.HashLength);
        builder.Property(passkey => passkey.CredentialId).HasMaxLength(LongestCredentialId);
        builder.Property(passkey => passkey.Name).HasMaxLength(NameLength);
        BelongTo(builder, nameof(Passkey.Subject));
    }

    // A factor is nothing without its person.
    private static void BelongTo<T>(EntityTypeBuilder<T> builder, string subject)
        where T : class
    {
        builder.Property<string>(subject).IsIdentifier();
        builder.HasIndex(subject);
        builder.HasOne<User>().WithMany().HasForeignKey(subject).OnDelete(DeleteBehavior.Cascade);
    }
}
