using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdentityServer.Storage;

/// <summary>
/// How identifiers are stored: bounded, plain ASCII, compared octet by octet on every database (<see cref="ServerDb"/> sets the
/// collation of every bounded text).
/// </summary>
internal static class Identifiers
{
    /// <summary>Ids this server makes: <c>sub</c>, <c>sid</c>, <c>gid</c>, <c>jti</c>, <c>kid</c>.</summary>
    public const int IdLength = 64;

    /// <summary>Ids people choose: of clients, scopes and APIs.</summary>
    public const int NameLength = 200;

    /// <summary>SHA-256 in hexadecimal digits.</summary>
    public const int HashLength = 64;

    public static PropertyBuilder<T> IsIdentifier<T>(this PropertyBuilder<T> property, int length = IdLength) =>
        property.HasMaxLength(length).IsUnicode(false);

    /// <summary>
    /// True when the text can be an identifier at all: visible ASCII of at most that length. Asked before a text from outside is
    /// looked up, because a database may fold what it cannot store (best-fit characters, spaces at the end) into a match.
    /// </summary>
    public static bool IsPossible(string text, int length = NameLength) =>
        text.Length > 0 && text.Length <= length && text.AsSpan().IndexOfAnyExceptInRange('!', '~') < 0;

    /// <summary>The text, or an exception: callers check what people type before they store it.</summary>
    public static string Require(string text, int length = NameLength) => IsPossible(text, length)
        ? text
        : throw new ArgumentException($"An identifier is 1 to {length} visible ASCII characters without spaces.", nameof(text));
}
