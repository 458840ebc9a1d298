namespace IdentityServer.Storage.Users;

/// <summary>Which roles people have, for whoever lets them administer this server.</summary>
public interface IMemberships
{
    /// <summary>Some of <see cref="Roles.All"/>; none for a person who is unknown or disabled.</summary>
    ValueTask<IReadOnlyList<string>> RolesOfAsync(string subject, CancellationToken ct);
}
