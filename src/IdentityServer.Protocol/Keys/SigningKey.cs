namespace IdentityServer.Protocol.Keys;

/// <summary>Where a key stands in its life; never stored, always read off the clock (docs/adr/0006).</summary>
public enum KeyState
{
    /// <summary>In the JWKS, not signing yet.</summary>
    Announced,

    /// <summary>In the JWKS and signing.</summary>
    Active,

    /// <summary>In the JWKS, no longer signing.</summary>
    Retiring,

    /// <summary>Gone from the JWKS.</summary>
    Retired,
}

/// <summary>One signing key. When it signs is said by its <see cref="KeyActivation"/>s.</summary>
public sealed record SigningKey
{
    public required string Kid { get; init; }

    /// <summary>JWA name, one of <see cref="KeyFactory.Algorithms"/>.</summary>
    public required string Algorithm { get; init; }

    /// <summary>When it was made, and so when it was announced.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was taken back: out of the JWKS at once, and nothing it signed is accepted.</summary>
    public DateTimeOffset? RevokedAt { get; init; }

    /// <summary>Why: what the operator wrote, or <c>cancelled</c>.</summary>
    public string? RevokedBecause { get; init; }

    /// <summary>When the private part was erased.</summary>
    public DateTimeOffset? ErasedAt { get; init; }

    /// <summary>The public JWK as JSON, as published.</summary>
    public required string PublicJwk { get; init; }

    /// <summary>PKCS#8, sealed by <see cref="IKeyProtector"/>; <see langword="null"/> once erased.</summary>
    public byte[]? SealedPrivateKey { get; init; }

    /// <summary>Names the master key that sealed it; no secret.</summary>
    public required string MasterKeyId { get; init; }
}

/// <summary>
/// A key starts to sign. The activations of one algorithm form a chain in which each names the one it follows; a key may occur more than
/// once, because going back to a key is one more activation.
/// </summary>
public sealed record KeyActivation
{
    public required string Id { get; init; }

    public required string Algorithm { get; init; }

    public required string Kid { get; init; }

    /// <summary>The activation it follows, or the empty string: unique per algorithm, so two nodes cannot add two successors.</summary>
    public required string Predecessor { get; init; }

    /// <summary>When the key starts to sign, if nothing holds it.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The activation waits for the clients that asked to be waited for (docs/keys.md): without <see cref="ReleasedAt"/> it never comes.</summary>
    public bool AwaitsReadiness { get; init; }

    /// <summary>When the last of them had the key, or somebody overrode the wait.</summary>
    public DateTimeOffset? ReleasedAt { get; init; }

    /// <summary>When it takes effect; <see langword="null"/> while it is held.</summary>
    public DateTimeOffset? EffectiveAt => !AwaitsReadiness ? At
        : ReleasedAt is not { } released ? null
        : released > At ? released : At;
}

/// <summary>When the keys of one algorithm roll over, and the version of its chain.</summary>
public sealed record KeyPlan
{
    public required string Algorithm { get; init; }

    /// <summary>Grows with every change of the algorithm's keys or plan: whoever decided on an older one is refused and decides again.</summary>
    public int Version { get; init; }

    /// <summary>From one activation to the next; <see langword="null"/>: the policy's interval, unless there is a <see cref="Cron"/>.</summary>
    public TimeSpan? Every { get; init; }

    /// <summary>A cron expression; excludes <see cref="Every"/>.</summary>
    public string? Cron { get; init; }

    /// <summary>IANA name of the time zone of <see cref="Cron"/>.</summary>
    public string TimeZone { get; init; } = "UTC";

    /// <summary>The plan was forced: its keys may be announced later than the policy wants.</summary>
    public bool IsForced { get; init; }

    /// <summary>A cancelled rollover: the next one comes after this.</summary>
    public DateTimeOffset? SkippedThrough { get; init; }

    /// <summary>The rollover after an activation: when the plan wants it, or later, so that the whole lead is kept.</summary>
    /// <param name="last">The activation it follows.</param>
    /// <param name="policy">The interval, where the plan names none.</param>
    /// <param name="lead">How long the key must be announced.</param>
    /// <param name="calendar">Reads <see cref="Cron"/>.</param>
    /// <param name="now">A time of announcing that has passed means: now.</param>
    /// <returns><see langword="null"/> when the cron expression never comes again.</returns>
    public PlannedRollover? After(
        KeyActivation last, KeyPolicy policy, LeadTime lead, ICronCalendar calendar, DateTimeOffset now)
    {
        var since = last.EffectiveAt ?? last.At;
        if (NextAfter(since, policy, calendar) is not { } due)
        {
            return null;
        }

        // Late is late: the old key signs on.
        var ahead = IsForced && due - since < lead.Needed ? due - since : lead.Needed;
        return due - ahead > now ? new(due - ahead, due) : new(now, now + ahead);
    }

    private DateTimeOffset? NextAfter(DateTimeOffset activatedAt, KeyPolicy policy, ICronCalendar calendar)
    {
        var after = SkippedThrough is { } skipped && skipped > activatedAt ? skipped : activatedAt;
        if (Cron is not null)
        {
            return calendar.Next(Cron, TimeZone, after);
        }

        var interval = Every ?? policy.RotationInterval;
        var times = Math.Max(1, ((after - activatedAt).Ticks / interval.Ticks) + 1);
        return activatedAt + (interval * times);
    }
}

/// <summary>A rollover that is not announced yet.</summary>
/// <param name="AnnouncedAt">When its key is to be made and published.</param>
/// <param name="At">When that key is to sign.</param>
public sealed record PlannedRollover(DateTimeOffset AnnouncedAt, DateTimeOffset At);
