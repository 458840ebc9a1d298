namespace IdentityServer.Logout;

/// <summary>
/// What this node knows of one client's answers. After a few failures in a row nothing is tried for a while, then one call; the first that
/// is taken closes it.
/// </summary>
internal sealed class LogoutCircuit
{
    private const int Tolerated = 3;
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(5);

    private readonly Lock _gate = new();
    private int _failures;
    private DateTimeOffset? _openUntil;

    /// <summary>No failure since the last success.</summary>
    public bool IsWell
    {
        get
        {
            lock (_gate)
            {
                return _failures == 0;
            }
        }
    }

    /// <summary>Until when nothing is tried; <see langword="null"/>: something may be.</summary>
    public DateTimeOffset? OpenUntil(DateTimeOffset now)
    {
        lock (_gate)
        {
            return _openUntil > now ? _openUntil : null;
        }
    }

    public void Succeeded()
    {
        lock (_gate)
        {
            (_failures, _openUntil) = (0, null);
        }
    }

    public void Failed(DateTimeOffset now)
    {
        lock (_gate)
        {
            _failures++;
            if (_failures >= Tolerated && (_openUntil is not { } open || open <= now))
            {
                var pause = FirstPause.Ticks << Math.Min(_failures - Tolerated, 10);
                _openUntil = now + TimeSpan.FromTicks(Math.Min(pause, LongestPause.Ticks));
            }
        }
    }
}
