namespace IdentityServer.Storage.Users;

/// <summary>What people are called, for lists that know them by <c>sub</c>.</summary>
public interface INames
{
    /// <summary>The names of those who are still there, in one read.</summary>
    ValueTask<IReadOnlyDictionary<string, PersonName>> FindAsync(IEnumerable<string> subjects, CancellationToken ct);
}

/// <summary>What a person is called.</summary>
/// <param name="UserName">What they sign in with.</param>
/// <param name="FullName">Their whole name, if they gave one.</param>
public sealed record PersonName(string UserName, string? FullName);
