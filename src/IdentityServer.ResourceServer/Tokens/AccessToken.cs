using System.Security.Claims;
using System.Text.Json;

namespace IdentityServer.ResourceServer.Tokens;

/// <summary>What is known of a token whose signature, or whose introspection, says that it was issued.</summary>
internal sealed record AccessToken
{
    public required string Id { get; init; }

    public required string Subject { get; init; }

    public required string ClientId { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public string? GrantId { get; init; }

    public string? SessionId { get; init; }

    /// <summary>What cutoffs compare with; absent: 0.</summary>
    public long Epoch { get; init; }

    /// <summary>Which key signed it; <see langword="null"/> for a reference token.</summary>
    public string? KeyId { get; init; }

    /// <summary>What it is bound to.</summary>
    public JsonElement? Confirmation { get; init; }

    public required ClaimsIdentity Identity { get; init; }
}

/// <summary>What became of a token that was presented.</summary>
internal abstract record TokenOutcome
{
    private TokenOutcome() { }

    public sealed record Good(AccessToken Token) : TokenOutcome;

    /// <summary>401: the token is not good and will not become so.</summary>
    /// <param name="Reason">For the caller's developer and the log; never the token.</param>
    public sealed record Refused(string Reason) : TokenOutcome;

    /// <summary>503: nobody can tell right now.</summary>
    /// <param name="Reason">The same.</param>
    public sealed record Unknown(string Reason) : TokenOutcome;
}
