namespace IdentityServer.Storage.Risk;

/// <summary>Where the networks are kept that people sign in from.</summary>
public interface IPlaces
{
    /// <summary>Those of a person, the one seen last first: fifty at most.</summary>
    ValueTask<IReadOnlyList<Place>> ListAsync(string subject, CancellationToken ct);

    /// <summary>The person signed in from there: adds it, or moves <see cref="Place.LastSeenAt"/> forward.</summary>
    ValueTask SeenAsync(Place place, CancellationToken ct);
}
