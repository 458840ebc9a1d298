namespace IdentityServer.Storage.SignIns;

/// <summary>Where sign-ins that lack a factor wait.</summary>
public interface IPartialSignIns
{
    ValueTask SaveAsync(PartialSignIn signIn, CancellationToken ct);

    /// <summary>The sign-in, unless unknown or past its end.</summary>
    ValueTask<PartialSignIn?> FindAsync(string hash, DateTimeOffset now, CancellationToken ct);

    /// <summary>Takes it away; false when somebody else did, or its time is up. Of two at once one succeeds.</summary>
    ValueTask<bool> TakeAsync(string hash, DateTimeOffset now, CancellationToken ct);
}
