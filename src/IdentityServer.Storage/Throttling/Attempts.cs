using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdentityServer.Storage.Throttling;

/// <summary>How often something was tried without success since the last success, and when it may be tried again.</summary>
public sealed record Attempts
{
    /// <summary>What is counted, e.g. <c>pwd:person:SUBJECT</c>. Names no person by anything but the subject or a hash.</summary>
    public required string Key { get; init; }

    public required int Count { get; init; }

    /// <summary>Not before this instant; <see langword="null"/>: now.</summary>
    public DateTimeOffset? BlockedUntil { get; init; }

    /// <summary>When the count is forgotten.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }
}

internal sealed class AttemptsMapping : IEntityTypeConfiguration<Attempts>
{
    /// <summary>Longest key.</summary>
    public const int KeyLength = 200;

    public void Configure(EntityTypeBuilder<Attempts> builder)
    {
        builder.ToTable("Attempts");
        builder.HasKey(attempts => attempts.Key);
        builder.Property(attempts => attempts.Key).IsIdentifier(KeyLength);
        builder.HasIndex(attempts => attempts.ExpiresAt);
    }
}
