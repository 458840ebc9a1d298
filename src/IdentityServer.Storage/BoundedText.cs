using System.Diagnostics.CodeAnalysis;

namespace IdentityServer.Storage;

/// <summary>Text that came from outside and is only ever read by people: recorded as far as its column reaches, never refused.</summary>
internal static class BoundedText
{
    // NUL is text for some databases and an error for others.
    [return: NotNullIfNotNull(nameof(text))]
    public static string? Cut(string? text, int length)
    {
        if (text is null)
        {
            return null;
        }

        var cut = text.Length <= length ? text : text[..length];
        if (cut.Length > 0 && char.IsHighSurrogate(cut[^1]))
        {
            cut = cut[..^1];
        }

        return cut.AsSpan().Contains('\0') ? cut.Replace('\0', '?') : cut;
    }
}
