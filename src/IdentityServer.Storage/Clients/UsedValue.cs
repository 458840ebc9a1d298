using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdentityServer.Storage.Clients;

/// <summary>A one-time value that was used.</summary>
/// <param name="Hash">SHA-256 of purpose and value: bounded, whatever was sent.</param>
/// <param name="ExpiresAt">When the value is refused for its age anyway, and the row may go.</param>
public sealed record UsedValue(string Hash, DateTimeOffset ExpiresAt);

internal sealed class UsedValueMapping : IEntityTypeConfiguration<UsedValue>
{
    public void Configure(EntityTypeBuilder<UsedValue> builder)
    {
        builder.ToTable("UsedValues");
        builder.HasKey(value => value.Hash);
        builder.Property(value => value.Hash).IsIdentifier(Identifiers.HashLength);
        builder.HasIndex(value => value.ExpiresAt);
    }
}
