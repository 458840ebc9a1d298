namespace IdentityServer.Protocol.Sessions;

/// <summary>One sign-in of one browser; its id is the <c>sid</c> of everything issued under it. The cookie holds a handle, not this id.</summary>
public sealed record Session
{
    /// <summary>The <c>sid</c>.</summary>
    public required string Id { get; init; }

    public required string Subject { get; init; }

    /// <summary>When the person last proved who they are: <c>auth_time</c>.</summary>
    public required DateTimeOffset AuthenticatedAt { get; init; }

    /// <summary>How: RFC 8176 values, e.g. <c>pwd</c>.</summary>
    public required IReadOnlyList<string> Amr { get; init; }

    /// <summary>How strongly: see <see cref="AcrValues"/>.</summary>
    public required string Acr { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset LastSeenAt { get; init; }

    /// <summary>Unused for this long, the session is over.</summary>
    public required TimeSpan IdleLifetime { get; init; }

    /// <summary>The absolute end, however much it is used.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>The person ticked <em>keep me signed in</em>: the cookie outlives the browser.</summary>
    public bool KeepSignedIn { get; init; }

    public string? Address { get; init; }

    public string? UserAgent { get; init; }

    /// <summary>The device it was opened on; <see langword="null"/>: unknown.</summary>
    public string? DeviceId { get; init; }

    /// <summary>The number of the latest cutoff when it was opened; storage sets it (docs/adr/0017).</summary>
    public long Epoch { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Seen again at least a minute after <see cref="LastSeenAt"/>: worth a write.</summary>
    public bool IsToBeTouched(DateTimeOffset now) => now - LastSeenAt >= TimeSpan.FromMinutes(1);

    /// <summary>Neither ended nor past its idle or absolute end.</summary>
    public bool IsLive(DateTimeOffset now) =>
        EndedAt is null && now < ExpiresAt && now - LastSeenAt < IdleLifetime;
}
