using IdentityServer.Protocol.Grants;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdentityServer.Storage.Grants;

internal sealed class GrantMapping : IEntityTypeConfiguration<Grant>
{
    public void Configure(EntityTypeBuilder<Grant> builder)
    {
        builder.ToTable("Grants");
        builder.HasKey(grant => grant.Id);
        builder.Property(grant => grant.Id).IsIdentifier();
        builder.Property(grant => grant.ClientId).IsIdentifier(Identifiers.NameLength);
        builder.Property(grant => grant.Subject).IsIdentifier();
        builder.Property(grant => grant.SessionId).IsIdentifier();
        builder.Property(grant => grant.Acr).HasMaxLength(Identifiers.NameLength);
        builder.HasIndex(grant => grant.SessionId);

        // With the id, so that cutoffs and lists walk along them in batches.
        builder.HasIndex(grant => new { grant.Subject, grant.Id });
        builder.HasIndex(grant => new { grant.ClientId, grant.Id });
        builder.HasIndex(grant => grant.ExpiresAt);
    }
}

internal sealed class TokenMapping : IEntityTypeConfiguration<TokenRow>
{
    public void Configure(EntityTypeBuilder<TokenRow> builder)
    {
        builder.ToTable("Tokens");
        builder.HasKey(token => token.Hash);
        builder.Property(token => token.Hash).IsIdentifier(Identifiers.HashLength);
        builder.Property(token => token.ClientId).IsIdentifier(Identifiers.NameLength);
        builder.Property(token => token.GrantId).IsIdentifier();
        builder.Property(token => token.SuccessorHash).IsIdentifier(Identifiers.HashLength);

        // No foreign keys to grants and sessions: each insert would lock and dirty its parent's row, on the busiest path there is.
        // The deeds check the parent themselves, and a token whose grant is gone counts as ended.
        builder.HasIndex(token => token.GrantId);
        builder.HasIndex(token => token.ExpiresAt);
    }
}
