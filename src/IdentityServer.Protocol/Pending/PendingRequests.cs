namespace IdentityServer.Protocol.Pending;

/// <summary>Pauses a request until the person has done what it needs, and finds it again by its handle.</summary>
public sealed class PendingRequests(IPendingRequestStore store, ProtocolOptions options, TimeProvider clock)
{
    /// <summary>Keeps the request and answers the handle that our page's address will carry.</summary>
    public async ValueTask<string> SaveAsync(
        Parameters parameters, string? clientId, DateTimeOffset startedAt, CancellationToken ct)
    {
        var handle = Handle.Create();
        await store.SaveAsync(
            new PendingRequest
            {
                Hash = handle.Hash,
                ClientId = clientId,
                Parameters = parameters.All,
                StartedAt = startedAt,
                ExpiresAt = startedAt + options.PendingLifetime,
            },
            ct);
        return handle.Text;
    }

    /// <summary>The request, or <see langword="null"/> when the handle is unknown or too old.</summary>
    public ValueTask<PendingRequest?> FindAsync(string? handle, CancellationToken ct) =>
        handle is { Length: 43 } ? store.FindAsync(Handle.HashOf(handle), clock.GetUtcNow(), ct) : new((PendingRequest?)null);

    /// <summary>The person chose the account of this session.</summary>
    public ValueTask ChooseAsync(PendingRequest request, string sessionId, CancellationToken ct) =>
        store.AnswerAsync(request with { ChosenSessionId = sessionId }, ct);

    /// <summary>The person answered the consent page in this session; no scopes: refused.</summary>
    public ValueTask AnswerAsync(PendingRequest request, string sessionId, IReadOnlyList<string> allowed, CancellationToken ct) =>
        store.AnswerAsync(request with { AnsweredSessionId = sessionId, AllowedScopes = allowed }, ct);

    /// <summary>The person signed out of this app alone; the session goes on.</summary>
    public ValueTask LeaveAsync(PendingRequest request, string sessionId, CancellationToken ct) =>
        store.AnswerAsync(request with { AnsweredSessionId = sessionId }, ct);

    /// <summary>The person does not want to sign in more strongly in this session.</summary>
    public ValueTask DeclineAsync(PendingRequest request, string sessionId, CancellationToken ct) =>
        store.AnswerAsync(request with { DeclinedSessionId = sessionId }, ct);

    public ValueTask RemoveAsync(PendingRequest request, CancellationToken ct) => store.RemoveAsync(request.Hash, ct);
}
