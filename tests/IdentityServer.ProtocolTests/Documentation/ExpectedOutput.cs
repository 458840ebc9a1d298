using System.Text.RegularExpressions;

namespace IdentityServer.ProtocolTests.Documentation;

/// <summary>
/// What a page shows to come back from a command. Compared in shape: blank lines and the width of gaps do not count; <c>…</c> in a line
/// stands for any text, and on a line of its own for any lines.
/// </summary>
internal sealed partial class ExpectedOutput(IEnumerable<string> shown)
{
    private const string Any = "…";

    private readonly string[] _shown = [.. Tidy(shown)];

    public bool IsEmpty => _shown.Length == 0;

    /// <summary>Some line says something, so that a match means something.</summary>
    public bool IsTelling => _shown.Any(line => line != Any);

    /// <summary>True when this is what came back; anything matches when nothing is shown.</summary>
    /// <param name="actual">The lines that came back.</param>
    /// <param name="mayGoOn">More may follow than is shown.</param>
    public bool Matches(IEnumerable<string> actual, bool mayGoOn = false) =>
        IsEmpty || Matches([.. mayGoOn ? _shown.Append(Any) : _shown], [.. Tidy(actual)]);

    private static bool Matches(ReadOnlySpan<string> shown, ReadOnlySpan<string> actual)
    {
        if (shown.IsEmpty)
        {
            return actual.IsEmpty;
        }

        if (shown[0] == Any)
        {
            return Matches(shown[1..], actual) || (!actual.IsEmpty && Matches(shown, actual[1..]));
        }

        return !actual.IsEmpty && IsLike(shown[0], actual[0]) && Matches(shown[1..], actual[1..]);
    }

    private static bool IsLike(string shown, string actual) => Regex.IsMatch(
        actual,
        $"^{string.Join(".*", shown.Split(Any).Select(Regex.Escape))}$",
        RegexOptions.CultureInvariant,
        TimeSpan.FromSeconds(5));

    private static IEnumerable<string> Tidy(IEnumerable<string> lines) =>
        lines.Select(line => Gap().Replace(line, " ").Trim()).Where(line => line.Length > 0);

    [GeneratedRegex(@"\s+", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Gap();
}
