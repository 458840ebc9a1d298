using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.ProtocolTests.Revocations;

/// <summary>How long an ending took to get to a node is measured there. Others in this process are measured too, but never so oddly.</summary>
public sealed class PropagationMetricTests(TwoNodes world) : IClassFixture<TwoNodes>
{
    private static readonly TimeSpan Late = TimeSpan.FromMilliseconds(4321);
    private static readonly TimeSpan Odd = TimeSpan.FromMilliseconds(123);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_ending_is_measured_once_at_each_node_that_hears_of_it()
    {
        using var measured = new Measured();
        var tokens = await world.App.SignInAsync(world.Alice, "openid", Ct);
        var second = await world.App.SignInAsync(world.Alice, "openid", Ct);
        var third = await world.App.SignInAsync(world.Alice, "openid", Ct);
        world.One.Clock.Advance(Odd);
        world.Other.Clock.SetUtcNow(world.One.Clock.GetUtcNow() + Late);

        Assert.Equal(200, (await world.App.RevokeAsync(tokens.AccessToken!, Ct)).Status);
        await world.HearAsync();
        await world.HearAsync();
        Assert.Equal(1, measured.Count(Late));
        await world.EndSessionAsync(second.IdToken!["sid"]!, world.One);
        await world.HearAsync();
        Assert.Equal(2, measured.Count(Late));

        // The other way about the clocks say that it was heard before it happened.
        await world.EndSessionAsync(third.IdToken!["sid"]!, world.Other);
        await world.HearAsync();
        Assert.Equal(0, measured.Count(-Late));

        // What a node loads at its start did not come to it by the log, though it reads that a little way back.
        await using var started = await world.StartNodeAsync();
        await started.Services.GetRequiredService<ChangeFeed>().PollAsync(Ct);
        Assert.False((await world.App.At(started.Address).IntrospectAsync(tokens.AccessToken!, Ct)).IsActive);
        Assert.Equal(0, measured.Count(started.Clock.GetUtcNow() - world.One.Clock.GetUtcNow()));
        Assert.Equal((0.01, 10), (measured.Buckets[0], measured.Buckets[^1]));
        Assert.Contains(1, measured.Buckets);
    }

    [Fact]
    public async Task What_a_node_knew_is_not_measured()
    {
        using var measured = new Measured();
        var list = world.One.Services.GetRequiredService<RevocationList>();
        var now = world.One.Clock.GetUtcNow();
        var own = Ended(RevocationKind.Token, TimeSpan.FromMilliseconds(60_001));
        var ownCutoff = Ended(RevocationKind.Client, TimeSpan.FromMilliseconds(60_002)) with { Epoch = 5 };
        list.Add(own);
        list.Add(ownCutoff);

        await HearAsync(own);
        await HearAsync(ownCutoff);
        await HearAsync(ownCutoff with { Epoch = 4, At = now.AddMilliseconds(-60_003) });
        await HearAsync(ownCutoff with { Epoch = 6, At = now.AddMilliseconds(-60_004) });
        await HearAsync(own with { Key = Handle.NewId(), At = now.AddMilliseconds(-60_005) });

        Assert.Equal(
            [0, 0, 0, 1, 1], Enumerable.Range(60_001, 5).Select(late => measured.Count(TimeSpan.FromMilliseconds(late))));

        Revocation Ended(RevocationKind kind, TimeSpan ago) => new(kind, Handle.NewId(), now - ago, now.AddHours(1));

        ValueTask HearAsync(Revocation revocation) =>
            list.ApplyAsync([new(1, ChangeKind.Revocation, RevocationList.Format(revocation), revocation.At)], Ct);
    }

    private sealed class Measured : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly ConcurrentBag<double> _seconds = [];

        public Measured()
        {
            _listener.InstrumentPublished = (instrument, self) =>
            {
                if (instrument is Histogram<double> { Meter.Name: "IdentityServer", Name: "identity_revocation_propagation_seconds", Unit: "s" } seconds)
                {
                    Buckets = seconds.Advice?.HistogramBucketBoundaries ?? [];
                    self.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<double>((_, value, _, _) => _seconds.Add(value));
            _listener.Start();
        }

        public IReadOnlyList<double> Buckets { get; private set; } = [];

        public int Count(TimeSpan late) => _seconds.Count(seconds => Math.Abs(seconds - late.TotalSeconds) < 0.0001);

        public void Dispose() => _listener.Dispose();
    }
}
