using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdentityServer.Storage.Risk;

/// <summary>A network from which a person signed in.</summary>
public sealed record Place
{
    public required string Subject { get; init; }

    /// <summary>The network in CIDR form: /24 of IPv4, /48 of IPv6.</summary>
    public required string Network { get; init; }

    public required DateTimeOffset FirstSeenAt { get; init; }

    public required DateTimeOffset LastSeenAt { get; init; }

    /// <summary>Where it is, when that is known: ISO 3166 country code.</summary>
    public string? Country { get; init; }

    /// <summary>Degrees north.</summary>
    public double? Latitude { get; init; }

    /// <summary>Degrees east.</summary>
    public double? Longitude { get; init; }
}

internal sealed class PlaceMapping : IEntityTypeConfiguration<Place>
{
    public void Configure(EntityTypeBuilder<Place> builder)
    {
        builder.ToTable("Places");
        builder.HasKey(place => new { place.Subject, place.Network });
        builder.Property(place => place.Subject).IsIdentifier();
        builder.Property(place => place.Network).IsIdentifier();
        builder.Property(place => place.Country).IsIdentifier(2);
        builder.HasIndex(place => place.LastSeenAt);
    }
}
