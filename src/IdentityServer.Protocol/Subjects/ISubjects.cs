using System.Text.Json.Nodes;

namespace IdentityServer.Protocol.Subjects;

/// <summary>The people tokens speak of.</summary>
public interface ISubjects
{
    /// <summary>The person, or <see langword="null"/> when there is none by that <c>sub</c> or the account is disabled.</summary>
    ValueTask<SubjectClaims?> FindAsync(string subject, CancellationToken ct);
}

/// <summary>All standard claims known of a person (OpenID Connect Core §5.1); <c>ClaimRules</c> picks what may be told.</summary>
/// <param name="Subject">The immutable random <c>sub</c>.</param>
/// <param name="Claims">Claim name to JSON value; absent when unknown. Includes neither <c>sub</c> nor anything secret.</param>
public sealed record SubjectClaims(string Subject, IReadOnlyDictionary<string, JsonNode> Claims);
