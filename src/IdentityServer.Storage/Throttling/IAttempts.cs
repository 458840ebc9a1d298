namespace IdentityServer.Storage.Throttling;

/// <summary>Where attempts are counted, for all nodes together.</summary>
public interface IAttempts
{
    /// <summary>The counts of these keys that are not forgotten yet.</summary>
    ValueTask<IReadOnlyList<Attempts>> ListAsync(IReadOnlyList<string> keys, DateTimeOffset now, CancellationToken ct);

    /// <summary>
    /// Replaces what was read by what it becomes, in one statement; false when somebody else counted meanwhile: read again.
    /// </summary>
    /// <param name="seen">As read; <see langword="null"/>: there was none, or it was past its end.</param>
    /// <param name="next">What it becomes, of the same key.</param>
    /// <param name="now">Decides what is past its end.</param>
    /// <param name="ct">Stops before the change.</param>
    ValueTask<bool> TryReplaceAsync(Attempts? seen, Attempts next, DateTimeOffset now, CancellationToken ct);

    /// <summary>The counts begin anew.</summary>
    ValueTask ForgetAsync(IReadOnlyList<string> keys, CancellationToken ct);

    /// <summary>Every count whose key begins so begins anew.</summary>
    ValueTask ForgetBelowAsync(string prefix, CancellationToken ct);

    /// <summary>One attempt less, because it succeeded; what was blocked stays so.</summary>
    ValueTask ReturnAsync(string key, CancellationToken ct);
}
