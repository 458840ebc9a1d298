using System.Net;
using IdentityServer.Configuration;

namespace IdentityServer.Risk;

/// <summary>Where an address is.</summary>
/// <param name="Country">ISO 3166 country code.</param>
/// <param name="Latitude">Degrees north.</param>
/// <param name="Longitude">Degrees east.</param>
public sealed record Location(string Country, double Latitude, double Longitude)
{
    private const double EarthRadius = 6371;

    /// <summary>The way along the surface of the earth, in kilometres.</summary>
    public double DistanceTo(Location other)
    {
        var (here, there) = (double.DegreesToRadians(Latitude), double.DegreesToRadians(other.Latitude));
        var north = Math.Sin((there - here) / 2);
        var east = Math.Sin(double.DegreesToRadians(other.Longitude - Longitude) / 2);
        var chord = (north * north) + (Math.Cos(here) * Math.Cos(there) * east * east);
        return 2 * EarthRadius * Math.Asin(Math.Min(1, Math.Sqrt(chord)));
    }
}

/// <summary>Knows where addresses are: a file of ranges (<see cref="RangeFile"/>), or nothing (<see cref="Nowhere"/>).</summary>
public interface ILocator
{
    /// <summary>The location; <see langword="null"/>: not known.</summary>
    Location? Find(IPAddress address);
}

internal static class Locators
{
    /// <summary>The ISO 3166 code of the country that an address is in; <see langword="null"/>: not known.</summary>
    public static string? CountryOf(this ILocator locator, string? address) =>
        IPAddress.TryParse(address, out var known) ? locator.Find(known)?.Country : null;

    /// <summary>Reads the file of ranges, if there is one.</summary>
    public static IServiceCollection AddLocator(this IServiceCollection services, RiskSettings settings) => services.AddSingleton<ILocator>(
        _ => settings.LocationFile.Length > 0 ? RangeFile.Read(settings.LocationFile) : new Nowhere());
}

/// <summary>No location database is configured.</summary>
internal sealed class Nowhere : ILocator
{
    public Location? Find(IPAddress address) => null;
}
