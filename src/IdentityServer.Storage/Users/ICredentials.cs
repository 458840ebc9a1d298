using IdentityServer.Protocol.Audit;

namespace IdentityServer.Storage.Users;

/// <summary>What a sign-in with a password reads and leaves behind.</summary>
public interface ICredentials
{
    /// <summary>The person who is known by what was typed: a user name, or an e-mail address that only one person has.</summary>
    ValueTask<Credential?> FindAsync(string typed, CancellationToken ct);

    /// <summary>
    /// Counts a wrong password, and locks the account for as long as <paramref name="lockFor"/> says for the count so far. Concurrent
    /// guesses are each counted.
    /// </summary>
    ValueTask RecordFailureAsync(
        string subject, DateTimeOffset now, Func<int, TimeSpan?> lockFor, AuditEvent audit, CancellationToken ct);

    /// <summary>
    /// A right password ends the count; <paramref name="betterHash"/>, when there is one, replaces the hash that was checked, unless the
    /// password changed meanwhile.
    /// </summary>
    ValueTask RecordSuccessAsync(Credential credential, string? betterHash, CancellationToken ct);
}

/// <summary>A person, and whether they administer this server.</summary>
public sealed record Credential(User User, bool IsAdmin);
