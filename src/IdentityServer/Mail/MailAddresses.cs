using System.Net.Mail;
using System.Text.RegularExpressions;

namespace IdentityServer.Mail;

/// <summary>What can be an address, and texts without any.</summary>
internal static partial class MailAddresses
{
    /// <summary>As long as a path of RFC 5321 §4.5.3.1.3.</summary>
    public const int Longest = 254;

    /// <summary>Only what can never be an address is refused; a mail that arrives is the proof.</summary>
    public static bool IsPossible(string text)
    {
        var at = text.LastIndexOf('@');
        return at > 0 && at < text.Length - 1 && text.Length <= Longest
            && text.IndexOf('@', StringComparison.Ordinal) == at
            && !text.Any(character => char.IsWhiteSpace(character) || char.IsControl(character) || character is '<' or '>' or ',' or ';' or '"')

            // Nothing but the address: the class reads names and comments too.
            && MailAddress.TryCreate(text, out var parsed) && parsed.Address == text;
    }

    /// <summary>What a mail server answered often repeats the address it refused.</summary>
    public static string Without(string text) => Address().Replace(text, "[address]");

    [GeneratedRegex(@"[^\s<>,;:""'()\[\]]+@[^\s<>,;""'()]+", RegexOptions.None, 1000)]
    private static partial Regex Address();
}
