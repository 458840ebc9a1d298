using IdentityServer.Protocol.Keys;

namespace IdentityServer.Admin;

/// <summary>What a key is, or will be, from one instant to another.</summary>
/// <param name="State">What.</param>
/// <param name="From">Since when.</param>
/// <param name="To">Until when; <see langword="null"/>: no end is planned.</param>
internal sealed record KeyWindow(KeyState State, DateTimeOffset From, DateTimeOffset? To);

/// <summary>The whole life of a key: what it was, is, and by the plan will be.</summary>
/// <param name="Entry">The key; <see langword="null"/>: one that the plan will announce.</param>
/// <param name="Windows">In order, without overlap.</param>
internal sealed record KeyLife(KeyEntry? Entry, IReadOnlyList<KeyWindow> Windows)
{
    /// <summary>What it is at an instant.</summary>
    public KeyWindow? At(DateTimeOffset now) => Windows.FirstOrDefault(window => window.From <= now && (window.To is not { } to || now < to));

    /// <summary>The lives of the keys of one algorithm, oldest first, and of the next that is planned.</summary>
    public static IReadOnlyList<KeyLife> Of(KeySituation situation, string algorithm)
    {
        var starts = situation.Rows.Activations
            .Where(span => span.Algorithm == algorithm)
            .Where(span => span.EffectiveAt is not null)
            .Select(span => (span.Kid, At: span.EffectiveAt!.Value))
            .OrderBy(span => span.At)
            .ToList();

        // What is held ends nothing yet: the key before it signs on.
        var held = situation.TimelineOf(algorithm).Held;
        var planned = situation.NextPlanned(algorithm);
        if (planned is { } next && held is null)
        {
            starts.Add(("", next.At));
        }

        var lives = situation.Entries.Where(entry => entry.Key.Algorithm == algorithm)
            .OrderBy(entry => entry.Key.CreatedAt)
            .ThenBy(entry => entry.ActiveFrom)
            .Select(entry => new KeyLife(entry, entry.IsHeld
                ? [new(KeyState.Announced, entry.Key.CreatedAt, held!.At), new(KeyState.Active, held.At, null)]
                : WindowsOf(entry.Key, starts, situation)))
            .ToList();
        if (planned is var (announced, at) && held is null)
        {
            lives.Add(new KeyLife(null, [new(KeyState.Announced, announced, at), new(KeyState.Active, at, null)]));
        }

        return lives;
    }

    private static List<KeyWindow> WindowsOf(
        SigningKey key, List<(string Kid, DateTimeOffset At)> starts, KeySituation situation)
    {
        var windows = new List<KeyWindow>();
        var since = key.CreatedAt;
        var state = KeyState.Announced;
        for (var i = 0; i < starts.Count; i++)
        {
            if (starts[i].Kid != key.Kid)
            {
                continue;
            }

            // A key that signs again after it had retired was out of sight between.
            var (at, end) = (starts[i].At, NextOther(starts, i));
            if (since < at)
            {
                windows.Add(new(state, since, at));
            }

            windows.Add(new(KeyState.Active, at, end));
            if (end is null)
            {
                return Cut(windows, key);
            }

            since = end.Value;
            state = KeyState.Retiring;
            while (i + 1 < starts.Count && starts[i + 1].Kid == key.Kid)
            {
                i++;
            }
        }

        if (state == KeyState.Announced)
        {
            windows.Add(new(KeyState.Announced, since, null));
            return Cut(windows, key);
        }

        var gone = since + situation.Policy.Retiring;
        windows.Add(new(KeyState.Retiring, since, gone));
        windows.Add(new(KeyState.Retired, gone, null));
        return Cut(windows, key);
    }

    private static DateTimeOffset? NextOther(List<(string Kid, DateTimeOffset At)> starts, int from)
    {
        for (var i = from + 1; i < starts.Count; i++)
        {
            if (starts[i].Kid != starts[from].Kid)
            {
                return starts[i].At;
            }
        }

        return null;
    }

    // What was taken back ended then, whatever had been planned.
    private static List<KeyWindow> Cut(List<KeyWindow> windows, SigningKey key)
    {
        if (key.RevokedAt is not { } revoked)
        {
            return windows;
        }

        return
        [
            .. windows.Where(window => window.From < revoked && window.State != KeyState.Retired)
                .Select(window => window.To is { } to && to < revoked ? window : window with { To = revoked }),
            new(KeyState.Retired, revoked, null),
        ];
    }
}
