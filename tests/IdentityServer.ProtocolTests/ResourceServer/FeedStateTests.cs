using IdentityServer.ResourceServer;
using IdentityServer.ResourceServer.Revocations;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.ResourceServer;

/// <summary>Up to when everything is known, whatever the clocks say.</summary>
public sealed class FeedStateTests
{
    private readonly MutableClock _clock = new();
    private readonly FeedState _state;

    public FeedStateTests() => _state = new FeedState(new IdentityServerTokensOptions(), _clock);

    [Fact]
    public void Nothing_is_known_before_the_first_heartbeat() => Assert.False(_state.IsFresh);

    [Theory]
    [InlineData(0)]
    [InlineData(-3600)]
    [InlineData(3600)]
    public void Silence_counts_from_the_last_heartbeat_however_far_the_servers_clock_is_off(int apart)
    {
        _state.Connected();
        _state.Heard(Now(apart));
        _clock.Advance(TimeSpan.FromSeconds(10));
        Assert.True(_state.IsFresh);

        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.False(_state.IsFresh);
    }

    [Fact]
    public void A_heartbeat_that_waited_in_a_buffer_is_as_old_as_it_is()
    {
        _state.Connected();
        _state.Heard(Now(0));
        var sent = Now(2);

        // This process was stopped, and reads now what had come meanwhile.
        _clock.Advance(TimeSpan.FromSeconds(30));
        _state.Heard(sent);

        Assert.False(_state.IsFresh);
        Assert.Equal(TimeSpan.FromSeconds(28), _state.Silence);
    }

    private long Now(int secondsApart) => _clock.GetUtcNow().AddSeconds(secondsApart).ToUnixTimeMilliseconds();
}
