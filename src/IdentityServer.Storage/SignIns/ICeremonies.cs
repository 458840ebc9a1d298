namespace IdentityServer.Storage.SignIns;

/// <summary>WebAuthn ceremonies under way. Each is finished once, on whichever node.</summary>
public interface ICeremonies
{
    ValueTask SaveAsync(Ceremony ceremony, CancellationToken ct);

    /// <summary>
    /// Takes the ceremony, so that nobody can finish it again: of all who try, one gets it. Given only to the browser and for the purpose
    /// it was begun for.
    /// </summary>
    ValueTask<TakenCeremony> TakeAsync(
        string hash, CeremonyKind kind, string browserHash, DateTimeOffset now, CancellationToken ct);
}

/// <summary>A ceremony to be finished, or why there is none.</summary>
public sealed record TakenCeremony
{
    private TakenCeremony() { }

    public Ceremony? Ceremony { get; private init; }

    /// <summary>For the audit log; nobody else is told.</summary>
    public CeremonyFault? Fault { get; private init; }

    public static TakenCeremony Of(Ceremony ceremony) => new() { Ceremony = ceremony };

    public static TakenCeremony Not(CeremonyFault fault) => new() { Fault = fault };
}

/// <summary>Why a ceremony cannot be finished.</summary>
public enum CeremonyFault
{
    /// <summary>Never begun, or so long ago that it is forgotten.</summary>
    Unknown,

    /// <summary>Begun in another browser.</summary>
    OtherBrowser,

    /// <summary>Begun for something else.</summary>
    OtherKind,

    Expired,

    /// <summary>Finished already, or at this moment by somebody else.</summary>
    Replayed,
}
