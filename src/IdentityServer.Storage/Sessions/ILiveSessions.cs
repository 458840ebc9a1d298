using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Sessions;

namespace IdentityServer.Storage.Sessions;

/// <summary>What is alive, for whoever looks after it.</summary>
public interface ILiveSessions
{
    /// <summary>Sessions that are alive, the latest first.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="after">The last of the part before; <see langword="null"/>: from the start.</param>
    /// <param name="count">How many at most.</param>
    /// <param name="now">When.</param>
    /// <param name="ct">Stops waiting.</param>
    ValueTask<IReadOnlyList<LiveSession>> ListAsync(
        LiveFilter filter, (DateTimeOffset CreatedAt, string Id)? after, int count, DateTimeOffset now, CancellationToken ct);

    /// <summary>Grants that are alive, by id.</summary>
    /// <param name="filter">Which; the address counts for nothing here.</param>
    /// <param name="after">Id of the last of the part before; <see langword="null"/>: from the start.</param>
    /// <param name="count">How many at most.</param>
    /// <param name="now">When.</param>
    /// <param name="ct">Stops waiting.</param>
    ValueTask<IReadOnlyList<LiveGrant>> ListGrantsAsync(LiveFilter filter, string? after, int count, DateTimeOffset now, CancellationToken ct);

    /// <summary>
    /// Sessions opened before an instant that are alive, or under which an offline grant is: 200 at most, by id, after the given one.
    /// </summary>
    ValueTask<IReadOnlyList<(string Id, string Subject)>> ListOpenedBeforeAsync(
        DateTimeOffset instant, string after, DateTimeOffset now, CancellationToken ct);
}

/// <summary>Which sessions or grants; what is <see langword="null"/> does not matter.</summary>
public sealed record LiveFilter
{
    public string? Subject { get; init; }

    /// <summary>An app that was given something.</summary>
    public string? ClientId { get; init; }

    /// <summary>Network address of the sign-in.</summary>
    public string? Address { get; init; }

    /// <summary>Opened then or later.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Opened before.</summary>
    public DateTimeOffset? Before { get; init; }
}

/// <summary>A session that is alive.</summary>
/// <param name="Session">The session.</param>
/// <param name="UserName">Whose.</param>
/// <param name="Clients">Ids of the apps that were given something in it.</param>
public sealed record LiveSession(Session Session, string UserName, IReadOnlyList<string> Clients);

/// <summary>A grant that is alive.</summary>
/// <param name="Grant">The grant.</param>
/// <param name="UserName">Whose.</param>
public sealed record LiveGrant(Grant Grant, string UserName);
