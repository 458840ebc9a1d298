using System.Net;
using FsCheck;
using FsCheck.Fluent;
using IdentityServer.Risk;
using IdentityServer.Storage.Risk;

namespace IdentityServer.ProtocolTests.Risk;

/// <summary>Which sign-ins look like somebody else's.</summary>
public sealed class RiskSignalsTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);
    private static readonly Location Aarhus = new("DK", 56.15, 10.21);
    private static readonly Location Shanghai = new("CN", 31.23, 121.47);

    [Fact]
    public void The_first_sign_in_of_all_is_compared_with_nothing() =>
        Assert.Empty(RiskSignals.Of(new("192.0.2.0/24", Aarhus, IsNewDevice: true, [], Now)));

    [Fact]
    public void A_new_device_and_a_new_network_are_signs()
    {
        var before = new[] { Seen("192.0.2.0/24", TimeSpan.FromDays(1)) };

        Assert.Empty(RiskSignals.Of(new("192.0.2.0/24", null, IsNewDevice: false, before, Now)));
        Assert.Equal([RiskSignals.NewDevice], RiskSignals.Of(new("192.0.2.0/24", null, IsNewDevice: true, before, Now)));
        Assert.Equal([RiskSignals.NewNetwork], RiskSignals.Of(new("198.51.100.0/24", null, IsNewDevice: false, before, Now)));
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(8, true)]
    [InlineData(12, false)]
    [InlineData(-1, true)]
    public void Nobody_is_in_Aarhus_and_soon_after_in_Shanghai(int hours, bool isImpossible)
    {
        var before = new[] { Seen("192.0.2.0/24", TimeSpan.FromHours(hours), Aarhus) };

        var signs = RiskSignals.Of(new("203.0.113.0/24", Shanghai, IsNewDevice: false, before, Now));

        Assert.Equal(isImpossible, signs.Contains(RiskSignals.ImpossibleTravel));
        Assert.Equal(isImpossible, RiskSignals.AreSuspicious(signs));
    }

    [Fact]
    public void A_vague_database_is_no_journey()
    {
        var before = new[] { Seen("192.0.2.0/24", TimeSpan.FromMinutes(1), Aarhus) };

        Assert.DoesNotContain(RiskSignals.ImpossibleTravel, RiskSignals.Of(new("192.0.2.0/24", new("DK", 55.68, 12.57), false, before, Now)));
    }

    [Fact]
    public void Four_networks_within_ten_minutes_are_many()
    {
        Place[] three = [Seen("10.0.1.0/24", Minutes(1)), Seen("10.0.2.0/24", Minutes(5)), Seen("10.0.3.0/24", Minutes(9))];

        Assert.Contains(RiskSignals.Velocity, RiskSignals.Of(new("10.0.4.0/24", null, false, three, Now)));
        Assert.DoesNotContain(RiskSignals.Velocity, RiskSignals.Of(new("10.0.1.0/24", null, false, three, Now)));
        Assert.DoesNotContain(RiskSignals.Velocity, RiskSignals.Of(new("10.0.4.0/24", null, false, three, Now.AddMinutes(5))));
    }

    [Fact]
    public void Distances_are_those_of_the_globe()
    {
        Assert.InRange(Aarhus.DistanceTo(Shanghai), 8000, 8700);
        Prop.ForAll<double, double, double>((a, b, c) =>
        {
            var (one, other) = (At(a, b), At(c, a));
            var way = one.DistanceTo(other);
            return way >= 0 && way <= 20_016 && Math.Abs(way - other.DistanceTo(one)) < 0.001 && one.DistanceTo(one) < 0.001;
        }).QuickCheckThrowOnFailure();

        static Location At(double north, double east) => new("XX", Bounded(north, 90), Bounded(east, 180));

        static double Bounded(double value, double most) => double.IsFinite(value) ? value % most : 0;
    }

    [Fact]
    public void A_file_of_ranges_finds_what_lies_in_one()
    {
        using var file = new RangesOnDisk(
            "# a comment", "198.51.100.0,198.51.100.127,DK,56.15,10.21", "192.0.2.0,192.0.2.255,CN,31.23,121.47", "2001:db8::,2001:db8:ffff:ffff:ffff:ffff:ffff:ffff,FR,48.85,2.35");
        var ranges = RangeFile.Read(file.Path);

        Assert.Equal("CN", ranges.Find(IPAddress.Parse("192.0.2.255"))!.Country);
        Assert.Equal("CN", ranges.Find(IPAddress.Parse("::ffff:192.0.2.1"))!.Country);
        Assert.Equal("DK", ranges.Find(IPAddress.Parse("198.51.100.0"))!.Country);
        Assert.Equal("FR", ranges.Find(IPAddress.Parse("2001:db8:7::1"))!.Country);
        Assert.Null(ranges.Find(IPAddress.Parse("198.51.100.128")));
        Assert.Null(ranges.Find(IPAddress.Parse("0.0.0.0")));
        Assert.Null(ranges.Find(IPAddress.Parse("ffff::")));
    }

    [Theory]
    [InlineData("192.0.2.0,192.0.2.255,CN,31.23")]
    [InlineData("192.0.2.255,192.0.2.0,CN,31.23,121.47")]
    [InlineData("192.0.2.0,2001:db8::,CN,31.23,121.47")]
    [InlineData("192.0.2.0,192.0.2.255,China,31.23,121.47")]
    [InlineData("192.0.2.0,192.0.2.255,CN,131.23,121.47")]
    [InlineData("first,last,country,latitude,longitude")]
    public void A_line_that_is_not_as_it_should_be_is_named(string line)
    {
        using var file = new RangesOnDisk("198.51.100.0,198.51.100.127,DK,56.15,10.21", line);

        Assert.StartsWith("Line 2 ", Assert.Throws<FormatException>(() => RangeFile.Read(file.Path)).Message, StringComparison.Ordinal);
    }

    private static TimeSpan Minutes(int minutes) => TimeSpan.FromMinutes(minutes);

    private static Place Seen(string network, TimeSpan ago, Location? where = null) => new()
    {
        Subject = "alice",
        Network = network,
        FirstSeenAt = Now - ago,
        LastSeenAt = Now - ago,
        Country = where?.Country,
        Latitude = where?.Latitude,
        Longitude = where?.Longitude,
    };

    private sealed class RangesOnDisk : IDisposable
    {
        public RangesOnDisk(params string[] lines) => File.WriteAllLines(Path, lines);

        public string Path { get; } = System.IO.Path.GetTempFileName();

        public void Dispose() => File.Delete(Path);
    }
}
