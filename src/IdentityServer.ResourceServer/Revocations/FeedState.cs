namespace IdentityServer.ResourceServer.Revocations;

/// <summary>Up to when it is known what has ended.</summary>
internal sealed class FeedState(IdentityServerTokensOptions options, TimeProvider clock)
{
    private long _knownUntil = long.MinValue;
    private long _leastLag = long.MaxValue;

    /// <summary>True while the feed speaks: what memory says can be trusted.</summary>
    public bool IsFresh => Silence <= options.FeedSilence;

    /// <summary>True when something was told that this version does not understand.</summary>
    public bool IsIncomplete { get; set; }

    /// <summary>How long ago everything was known; endless before the first heartbeat.</summary>
    public TimeSpan Silence => Interlocked.Read(ref _knownUntil) is var until && until == long.MinValue
        ? TimeSpan.MaxValue
        : clock.GetUtcNow() - DateTimeOffset.FromUnixTimeMilliseconds(until);

    /// <summary>Clocks are compared anew on each connection.</summary>
    public void Connected() => _leastLag = long.MaxValue;

    /// <summary>
    /// All that ended before the server's instant is known. That instant on our clock is judged by the quickest heartbeat of the connection: one
    /// that waited in a buffer while this process slept is as old as it is, not as new as its arrival.
    /// </summary>
    public void Heard(long serverMilliseconds)
    {
        _leastLag = Math.Min(_leastLag, clock.GetUtcNow().ToUnixTimeMilliseconds() - serverMilliseconds);
        Interlocked.Exchange(ref _knownUntil, serverMilliseconds + _leastLag);
    }
}
