using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace IdentityServer.Risk;

/// <summary>
/// A location database as a CSV file: <c>FIRST,LAST,COUNTRY,LATITUDE,LONGITUDE</c> on each line, ranges of IPv4 or IPv6 addresses in any
/// order, as the makers of such databases export them. Lines that begin with <c>#</c> are left out.
/// </summary>
public sealed class RangeFile : ILocator
{
    private readonly Range[] _ranges;

    private RangeFile(Range[] ranges) => _ranges = ranges;

    /// <summary>Reads the file.</summary>
    /// <exception cref="FormatException">A line is not as it should be; the message names it.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static RangeFile Read(string path)
    {
        var ranges = new List<Range>();
        var number = 0;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            if (line.Length > 0 && line[0] != '#')
            {
                ranges.Add(Parse(line) ?? throw new FormatException(
                    $"Line {number} is not FIRST,LAST,COUNTRY,LATITUDE,LONGITUDE, e.g. 192.0.2.0,192.0.2.255,DK,56.15,10.21"));
            }
        }

        ranges.Sort((one, other) => one.First.CompareTo(other.First));
        return new RangeFile([.. ranges]);
    }

    public Location? Find(IPAddress address)
    {
        var wanted = Number(address);
        var (low, high) = (0, _ranges.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var range = _ranges[middle];
            if (wanted < range.First)
            {
                high = middle - 1;
            }
            else if (wanted > range.Last)
            {
                low = middle + 1;
            }
            else
            {
                return range.Location;
            }
        }

        return null;
    }

    private static Range? Parse(string line)
    {
        var parts = line.Split(',', StringSplitOptions.TrimEntries);
        return parts.Length == 5
            && IPAddress.TryParse(parts[0], out var first)
            && IPAddress.TryParse(parts[1], out var last)
            && first.AddressFamily == last.AddressFamily
            && Number(first) <= Number(last)
            && parts[2] is { Length: 2 } country && country.All(char.IsAsciiLetterUpper)
            && double.TryParse(parts[3], NumberStyles.Float, CultureInfo.InvariantCulture, out var latitude) && Math.Abs(latitude) <= 90
            && double.TryParse(parts[4], NumberStyles.Float, CultureInfo.InvariantCulture, out var longitude) && Math.Abs(longitude) <= 180
                ? new Range(Number(first), Number(last), new Location(country, latitude, longitude))
                : null;
    }

    // IPv4 as the addresses of IPv6 that stand for it.
    private static UInt128 Number(IPAddress address)
    {
        var octets = (address.AddressFamily == AddressFamily.InterNetwork ? address.MapToIPv6() : address).GetAddressBytes();
        return new UInt128(
            System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(octets), System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(octets.AsSpan(8)));
    }

    private sealed record Range(UInt128 First, UInt128 Last, Location Location);
}
