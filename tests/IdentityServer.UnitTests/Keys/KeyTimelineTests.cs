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
        var timeline = Timeline(("a", 0), ("b", 90));
        var now = Start.AddDays(day);

        Assert.Equal((first, second), (timeline.StateOf(Key("a"), now), timeline.StateOf(Key("b"), now)));
    }

    [Fact]
    public void Signing_never_pauses_when_no_successor_came() =>
        Assert.Equal("a", Timeline(("a", 0)).SigningAt(Start.AddDays(4000))?.Kid);

    [Fact]
    public void The_first_key_signs_also_on_a_node_whose_clock_is_behind_the_one_that_made_it()
    {
        var timeline = Timeline(("a", 0), ("b", 90));
        var behind = Start.AddHours(-1);

        Assert.Equal(("a", KeyState.Active), (timeline.SigningAt(behind)?.Kid, timeline.StateOf(Key("a"), behind)));
        Assert.Equal("b", timeline.PendingAt(behind)?.Kid);
    }

    [Fact]
    public void After_an_undo_the_earlier_key_signs_and_the_later_one_is_still_published()
    {
        var timeline = Timeline(("a", 0), ("b", 90), ("a", 90.5));
        var now = Start.AddDays(90.5);

        Assert.Equal((KeyState.Active, KeyState.Retiring), (timeline.StateOf(Key("a"), now), timeline.StateOf(Key("b"), now)));
        Assert.Equal("b", timeline.BeforeAt(now)?.Kid);
        Assert.Equal(Start.AddDays(91.5), timeline.RetiresAt(Key("b"), now));
        Assert.Equal(KeyState.Retired, timeline.StateOf(Key("b"), Start.AddDays(91.5)));
        Assert.Null(timeline.BeforeAt(Start.AddDays(91.5)));
    }

    [Fact]
    public void A_revoked_key_signs_nothing_and_brings_no_earlier_one_back()
    {
        var keys = new[] { Key("a"), Key("b") with { RevokedAt = Start.AddDays(50) }, Key("c") };
        var timeline = new KeyTimeline(keys, [Span("a", 0), Span("b", 10), Span("c", 50)], Policy);
        var now = Start.AddDays(50);

        Assert.Equal(("c", KeyState.Retired), (timeline.SigningAt(now)?.Kid, timeline.StateOf(keys[1], now)));
        Assert.Equal(KeyState.Retired, timeline.StateOf(keys[0], now));
        Assert.Null(timeline.BeforeAt(now));
    }

    [Fact]
    public void A_node_that_is_behind_lets_the_key_sign_that_took_over_and_no_erased_one()
    {
        var keys = new[] { Key("a") with { ErasedAt = Start.AddDays(13) }, Key("b") with { RevokedAt = Start.AddDays(50) }, Key("c") };
        var timeline = new KeyTimeline(keys, [Span("a", 0), Span("b", 10), Span("c", 50)], Policy);
        var behind = Start.AddDays(50).AddSeconds(-2);

        Assert.Equal(("c", KeyState.Active), (timeline.SigningAt(behind)?.Kid, timeline.StateOf(keys[2], behind)));
        Assert.Equal(KeyState.Retired, timeline.StateOf(keys[0], behind));
        Assert.Null(timeline.PendingAt(behind));
    }

    [Fact]
    public void A_held_activation_has_no_effect_until_it_is_released()
    {
        var held = Span("b", 90) with { AwaitsReadiness = true };
        var waiting = new KeyTimeline([Key("a"), Key("b")], [Span("a", 0), held], Policy);
        var late = Start.AddDays(95);
        Assert.Equal(("a", KeyState.Announced, "b"), (waiting.SigningAt(late)?.Kid, waiting.StateOf(Key("b"), late), waiting.PendingAt(late)?.Kid));

        var early = held with { ReleasedAt = Start.AddDays(80) };
        Assert.Equal(Start.AddDays(90), early.EffectiveAt);
        var after = held with { ReleasedAt = late };
        var released = new KeyTimeline([Key("a"), Key("b")], [Span("a", 0), after], Policy);
        Assert.Equal(("a", "b"), (released.SigningAt(late.AddTicks(-1))?.Kid, released.SigningAt(late)?.Kid));
    }

    [Fact]
    public void The_private_part_goes_after_the_margin_and_never_while_the_key_is_published() => Prop.ForAll(
        Histories,
        history =>
        {
            var (keys, timeline) = history;
            for (var day = -1.0; day < 400; day += 0.25)
            {
                var now = Start.AddDays(day);
                if (keys.Any(key => timeline.MayErase(key, now)
                    && (timeline.StateOf(key, now) != KeyState.Retired
                        || timeline.StateOf(key, now - Policy.ErasureMargin) != KeyState.Retired)))
                {
                    return false;
                }
            }

            return true;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void At_every_instant_one_key_is_active_and_states_change_only_at_boundaries() => Prop.ForAll(
        Histories,
        history =>
        {
            var (keys, timeline) = history;
            var now = Start.AddDays(-2);
            while (true)
            {
                var states = keys.Select(key => timeline.StateOf(key, now)).ToArray();
                if (states.Count(state => state == KeyState.Active) != 1
                    || timeline.StateOf(timeline.SigningAt(now)!, now) != KeyState.Active
                    || !timeline.PublishedAt(now).Contains(timeline.SigningAt(now)))
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

    [Fact]
    public void What_a_key_signed_verifies_for_as_long_as_keys_retire() => Prop.ForAll(
        Histories,
        history =>
        {
            var (_, timeline) = history;
            for (var day = -1.0; day < 300; day += 0.3)
            {
                var signedAt = Start.AddDays(day);
                var signer = timeline.SigningAt(signedAt)!;
                var lastUse = signedAt + Policy.Retiring - TimeSpan.FromMilliseconds(1);
                if (!timeline.PublishedAt(lastUse).Contains(signer) || !timeline.PublishedAt(signedAt + (Policy.Retiring / 2)).Contains(signer))
                {
                    return false;
                }
            }

            return true;
        }).QuickCheckThrowOnFailure();

    /// <summary>Rollovers forward, with an undo here and there.</summary>
    private static Arbitrary<(SigningKey[] Keys, KeyTimeline Timeline)> Histories => Arb.From(
        ArbMap.Default.GeneratorFor<NonEmptyArray<Tuple<PositiveInt, bool>>>().Select(
            steps =>
            {
                var spans = new List<KeyActivation> { Span("k0", 0) };
                var (day, made) = (0.0, 0);
                foreach (var (gap, goesBack) in steps.Get.Take(20))
                {
                    day += Math.Min(gap.Get, 30) * 0.37;
                    var back = goesBack && spans.Count > 1 ? spans[^2].Kid : null;
                    spans.Add(Span(back ?? $"k{++made}", day));
                }

                var keys = Enumerable.Range(0, made + 1).Select(index => Key($"k{index}")).ToArray();
                return (keys, new KeyTimeline(keys, spans, Policy));
            }));

    private static KeyTimeline Timeline(params (string Kid, double Day)[] spans) => new(
        spans.Select(span => span.Kid).Distinct().Select(Key), spans.Select(span => Span(span.Kid, span.Day)), Policy);

    private static KeyActivation Span(string kid, double day) => new()
    {
        Id = $"{kid}@{day}",
        Algorithm = "ES256",
        Kid = kid,
        Predecessor = "",
        At = Start.AddDays(day),
    };

    private static SigningKey Key(string kid) => new()
    {
        Kid = kid,
        Algorithm = "ES256",
        CreatedAt = Start,
        PublicJwk = "{}",
        MasterKeyId = "m",
    };
}
