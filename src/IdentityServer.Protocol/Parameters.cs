namespace IdentityServer.Protocol;

/// <summary>
/// Request parameters, each present at most once (RFC 6749 §3.1). Built by <c>ParameterReader</c>, which refuses
/// doubled names, bad escapes, text that is not UTF-8, and NUL.
/// </summary>
public sealed class Parameters(IReadOnlyDictionary<string, string> values)
{
    public static Parameters Empty { get; } = new(new Dictionary<string, string>(StringComparer.Ordinal));

    /// <summary>The value, or <see langword="null"/> when absent or empty; RFC 6749 §3.1 treats both alike.</summary>
    public string? this[string name] => values.TryGetValue(name, out var value) && value.Length > 0 ? value : null;

    /// <summary>Everything that was sent, for saving a paused request.</summary>
    public IReadOnlyDictionary<string, string> All => values;
}
