using System.Text.Json.Nodes;
using IdentityServer.Protocol.Subjects;

namespace IdentityServer.SignIn;

/// <summary>A person as our pages speak of them.</summary>
public sealed record Person(string Subject, string UserName, string? FullName, string? Email, string? Phone)
{
    /// <summary>The whole name, or the user name when there is none.</summary>
    public string Name => FullName ?? UserName;

    /// <summary>Name and user name, so that two of the same name can be told apart.</summary>
    public string Display => FullName is null ? UserName : $"{FullName} ({UserName})";
}

/// <summary>Finds the people that sessions belong to.</summary>
public sealed class People(ISubjects subjects)
{
    /// <summary>The person, or <see langword="null"/> when there is none or the account is disabled.</summary>
    public async ValueTask<Person?> FindAsync(string subject, CancellationToken ct) =>
        await subjects.FindAsync(subject, ct) is { Claims: var claims }
            ? new Person(
                subject,
                Text(claims, "preferred_username") ?? subject,
                Text(claims, "name"),
                Text(claims, "email"),
                Text(claims, "phone_number"))
            : null;

    private static string? Text(IReadOnlyDictionary<string, JsonNode> claims, string name) =>
        claims.GetValueOrDefault(name) is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0 ? text : null;
}
