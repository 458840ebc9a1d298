namespace IdentityServer.Protocol.Clients;

/// <summary>What names may look like. Narrower than RFC 6749 appendix A, so that a name survives a shell, a log and a URL.</summary>
public static class Identifiers
{
    public const int MaxLength = 100;

    /// <summary>For ids of clients and names of scopes and APIs: the rest of a sentence, or <see langword="null"/> when the name is fine.</summary>
    public static string? Fault(string name) =>
        name.Length == 0 ? "is empty."
        : name.Length > MaxLength ? $"is longer than {MaxLength} characters."
        : name.Any(character => character is <= ' ' or > '~' or '"' or '\\')
            ? "has a character that is not allowed: use visible ASCII without space, quote and backslash."
        : null;

    /// <summary>For names that people read: the rest of a sentence, or <see langword="null"/> when the name is fine.</summary>
    public static string? DisplayFault(string name, int maxLength = MaxLength) =>
        string.IsNullOrWhiteSpace(name) ? "is empty."
        : name.Length > maxLength ? $"is longer than {maxLength} characters."
        : name.Any(character => char.IsControl(character) || IsDirectional(character)) ? "has a control character."
        : null;

    /// <summary>Text from outside, made fit for a terminal or a log line: no control characters, not too long.</summary>
    public static string Shown(string text)
    {
        var clean = string.Concat(text.Take(MaxLength).Select(character => char.IsControl(character) || IsDirectional(character) ? '?' : character));
        return clean.Length == 0 ? "(empty)" : text.Length > MaxLength ? clean + "…" : clean;
    }

    // These turn the reading direction around, so that a name reads as another one.
    private static bool IsDirectional(char character) =>
        character is '\u200e' or '\u200f' or (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069');
}
