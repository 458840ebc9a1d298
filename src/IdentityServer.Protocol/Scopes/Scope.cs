namespace IdentityServer.Protocol.Scopes;

/// <summary>A permission a client may ask for (RFC 6749 §3.3).</summary>
public sealed record Scope(string Name)
{
    /// <summary>What people read on the consent page.</summary>
    public string? DisplayName { get; init; }

    public string? Description { get; init; }

    /// <summary>UserInfo claims this scope releases; empty for API scopes.</summary>
    public IReadOnlyList<string> Claims { get; init; } = [];

    /// <summary>Marked on the consent page: it changes data.</summary>
    public bool ChangesData { get; init; }
}

/// <summary>An API: the audience of the tokens that carry one of its scopes (RFC 9068 §2.2).</summary>
/// <param name="Name">The <c>aud</c> value.</param>
public sealed record ApiResource(string Name)
{
    public string? DisplayName { get; init; }

    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>Clients that may introspect this API's tokens, besides a client that has the API's own name.</summary>
    public IReadOnlyList<string> IntrospectionClients { get; init; } = [];
}
