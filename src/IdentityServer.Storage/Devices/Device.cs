using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdentityServer.Storage.Devices;

/// <summary>
/// A browser in which a person once signed in completely. It is not locked out by a stranger's guesses, and its sign-ins are no news.
/// Until <see cref="RememberedUntil"/> it also spares the person the second factor.
/// </summary>
public sealed record Device
{
    /// <summary>Names the device on pages; no secret.</summary>
    public required string Id { get; init; }

    public required string Subject { get; init; }

    /// <summary>Hash of the browser's own handle.</summary>
    public required string BrowserHash { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset LastSeenAt { get; init; }

    /// <summary>Until when no second factor is asked for here; void with every change of password or factor.</summary>
    public DateTimeOffset? RememberedUntil { get; init; }

    /// <summary>Forgotten then, unless it is seen again.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    public string? Address { get; init; }

    public string? UserAgent { get; init; }
}

internal sealed class DeviceMapping : IEntityTypeConfiguration<Device>
{
    public const int UserAgentLength = 400;

    public void Configure(EntityTypeBuilder<Device> builder)
    {
        builder.ToTable("Devices");
        builder.HasKey(device => device.Id);
        builder.Property(device => device.Id).IsIdentifier();
        builder.Property(device => device.Subject).IsIdentifier();
        builder.Property(device => device.BrowserHash).IsIdentifier(Identifiers.HashLength);
        builder.Property(device => device.Address).HasMaxLength(64);
        builder.Property(device => device.UserAgent).HasMaxLength(UserAgentLength);
        builder.HasIndex(device => new { device.Subject, device.BrowserHash }).IsUnique();
        builder.HasIndex(device => device.ExpiresAt);
    }
}
