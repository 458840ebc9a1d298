namespace IdentityServer.Storage.Users;

/// <summary>What a sign-in reads and leaves behind.</summary>
public interface ICredentials
{
    /// <summary>The person who is known by what was typed: a user name, or an e-mail address that only one person has.</summary>
    ValueTask<Credential?> FindAsync(string typed, CancellationToken ct);

    /// <summary>The person, by <c>sub</c>.</summary>
    ValueTask<Credential?> FindBySubjectAsync(string subject, CancellationToken ct);

    /// <summary>Replaces the hash that was checked by a better one of the same password, unless the password changed meanwhile.</summary>
    ValueTask ReplaceHashAsync(User user, string betterHash, CancellationToken ct);
}

/// <summary>A person, and whether they administer this server.</summary>
public sealed record Credential(User User, bool IsAdmin);
