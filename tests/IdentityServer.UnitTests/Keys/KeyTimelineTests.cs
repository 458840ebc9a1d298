using FsCheck;
using FsCheck.Fluent;
using IdentityServer.Protocol.Keys;

namespace IdentityServer.UnitTests.Keys;

public sealed class KeyTimelineTests
{
    private static readonly KeyPolicy Policy = new() { Lead = TimeSpan.FromDays(14), Retiring = TimeSpan.FromDays(1) };
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(75, KeyState.Active, KeyState.Announced)]
    [InlineData(90, KeyState.Retiring, KeyState.Active)]
    [InlineData(91, KeyState.Retired, KeyState.Active)]
    public void A_key_ages_with_the_clock_and_its_successor(int day, KeyState first, KeyState second)
    {
        var (old, next) = (Key("a", 0), Key("b", 90));
        var timeline = new KeyTimeline([next, old], Policy);
        var now = Start.AddDays(day);

        Assert.Equal((first, second), (timeline.StateOf(old, now), timeline.StateOf(next, now)));
    }

    [Fact]
    public void Signing_never_pauses_when_no_successor_came() =>
        Assert.Equal("a", new KeyTimeline([Key("a", 0)], Policy).SigningAt(Start.AddDays(4000))?.Kid);

    [Fact]
    public void A_revoked_key_signs_nothing_and_is_retired()
    {
        var bad = Key("a", 0) with { RevokedAt = Start.AddDays(5) };
        var timeline = new KeyTimeline([bad, Key("b", 5)], Policy);

        Assert.Equal(("b", KeyState.Retired), (timeline.SigningAt(Start.AddDays(5))?.Kid, timeline.StateOf(bad, Start.AddDays(5))));
    }

    [Fact]
    public void At_every_instant_one_key_is_active_and_states_change_only_at_boundaries() => Prop.ForAll(
        ArbMap.Default.ArbFor<NonEmptyArray<PositiveInt>>(),
        gaps =>
        {
            var day = 0;
            var keys = gaps.Get.Take(20).Select((gap, index) => Key($"k{index}", day += gap.Get)).ToArray();
            var timeline = new KeyTimeline(keys, Policy);
            var now = keys[0].ActiveFrom;
            while (true)
            {
                var states = keys.Select(key => timeline.StateOf(key, now)).ToArray();
                if (states.Count(state => state == KeyState.Active) != 1
                    || timeline.StateOf(timeline.SigningAt(now)!, now) != KeyState.Active)
                {
                    return false;
                }

                if (timeline.NextBoundary(now) is not { } boundary)
                {
                    return true;
                }

                if (!keys.Select(key => timeline.StateOf(key, boundary.AddMilliseconds(-1))).SequenceEqual(states))
                {
                    return false;
                }

                now = boundary;
            }
        }).QuickCheckThrowOnFailure();

    private static SigningKey Key(string kid, int day) => new()
    {
        Kid = kid,
        Algorithm = "ES256",
        Predecessor = "",
        CreatedAt = Start.AddDays(day - 14),
        ActiveFrom = Start.AddDays(day),
        PublicJwk = "{}",
        MasterKeyId = "m",
    };
}
