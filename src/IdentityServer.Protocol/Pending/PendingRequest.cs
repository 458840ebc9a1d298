namespace IdentityServer.Protocol.Pending;

/// <summary>
/// A request that waits for the person: to sign in, choose, consent, or confirm signing out. Its handle travels in our page's
/// address; storage keeps the hash.
/// </summary>
public sealed record PendingRequest
{
    public required string Hash { get; init; }

    /// <summary>The client that asked; <see langword="null"/> only for a sign-out that named none.</summary>
    public string? ClientId { get; init; }

    /// <summary>The parameters as sent.</summary>
    public required IReadOnlyDictionary<string, string> Parameters { get; init; }

    /// <summary>A sign-in after this instant satisfies <c>prompt=login</c> and <c>max_age</c>.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>The session in which the person chose this account (<c>prompt=select_account</c>).</summary>
    public string? ChosenSessionId { get; init; }

    /// <summary>The session in which the person answered the consent page; of a sign-out, see <see cref="LeftSessionId"/>.</summary>
    public string? AnsweredSessionId { get; init; }

    /// <summary>
    /// Of a sign-out: the session that goes on without the app. Whoever answered the consent page of an authorization request, which always
    /// says what it wants, has left nothing.
    /// </summary>
    public string? LeftSessionId => Parameters.ContainsKey("response_type") ? null : AnsweredSessionId;

    /// <summary>The session in which the person did not want to sign in more strongly.</summary>
    public string? DeclinedSessionId { get; init; }

    /// <summary>The scopes allowed there; empty: refused.</summary>
    public IReadOnlyList<string> AllowedScopes { get; init; } = [];
}

/// <summary>Where paused requests wait.</summary>
public interface IPendingRequestStore
{
    ValueTask SaveAsync(PendingRequest request, CancellationToken ct);

    /// <summary>The request, unless unknown or past its end.</summary>
    ValueTask<PendingRequest?> FindAsync(string hash, DateTimeOffset now, CancellationToken ct);

    /// <summary>Replaces the answers of a request (<see cref="PendingRequest.ChosenSessionId"/>, answered and declined session, scopes).</summary>
    ValueTask AnswerAsync(PendingRequest request, CancellationToken ct);

    /// <summary>The request is done with; harmless when it is gone.</summary>
    ValueTask RemoveAsync(string hash, CancellationToken ct);
}
