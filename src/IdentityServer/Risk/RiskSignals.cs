using IdentityServer.Storage.Risk;

namespace IdentityServer.Risk;

/// <summary>What is known of a sign-in, and of those before it.</summary>
/// <param name="Network">The network it comes from.</param>
/// <param name="Location">Where that is, if it is known.</param>
/// <param name="IsNewDevice">The person never signed in with this browser.</param>
/// <param name="Before">The networks of earlier sign-ins, the one seen last first.</param>
/// <param name="Now">When.</param>
public sealed record SignInFacts(string Network, Location? Location, bool IsNewDevice, IReadOnlyList<Place> Before, DateTimeOffset Now);

/// <summary>Reads signs of danger off the facts. Pure.</summary>
public static class RiskSignals
{
    public const string NewDevice = "new_device";
    public const string NewNetwork = "new_network";
    public const string ImpossibleTravel = "impossible_travel";
    public const string Velocity = "velocity";
    public const string TokenReuse = "token_reuse";

    // Faster than an airliner, and farther than a location database is wrong.
    private const double FastestKilometresPerHour = 1000;
    private const double Vague = 200;

    // That many networks in so short a time: one person has a phone, a desk and a tunnel at most.
    private const int ManyNetworks = 4;
    private static readonly TimeSpan ShortTime = TimeSpan.FromMinutes(10);

    /// <summary>The signs, in the order of the list above. None for the first sign-in of all: there is nothing to compare it with.</summary>
    public static IReadOnlyList<string> Of(SignInFacts facts)
    {
        if (facts.Before.Count == 0)
        {
            return [];
        }

        var signs = new List<string>();
        if (facts.IsNewDevice)
        {
            signs.Add(NewDevice);
        }

        if (facts.Before.All(place => place.Network != facts.Network))
        {
            signs.Add(NewNetwork);
        }

        if (facts.Location is { } here && facts.Before.FirstOrDefault(place => place is { Latitude: not null, Longitude: not null }) is { } last
            && IsImpossible(here, last, facts.Now))
        {
            signs.Add(ImpossibleTravel);
        }

        var recent = facts.Before.Where(place => facts.Now - place.LastSeenAt <= ShortTime).Select(place => place.Network);
        if (recent.Append(facts.Network).Distinct(StringComparer.Ordinal).Count() >= ManyNetworks)
        {
            signs.Add(Velocity);
        }

        return signs;
    }

    /// <summary>Worth more than a note: what hardly happens without somebody else.</summary>
    public static bool AreSuspicious(IReadOnlyList<string> signs) => signs.Any(sign => sign is ImpossibleTravel or Velocity or TokenReuse);

    private static bool IsImpossible(Location here, Place last, DateTimeOffset now)
    {
        var distance = here.DistanceTo(new Location(last.Country ?? "", last.Latitude!.Value, last.Longitude!.Value));
        var hours = Math.Max(0, (now - last.LastSeenAt).TotalHours);
        return distance > Vague && distance > FastestKilometresPerHour * hours;
    }
}
