using System.Collections.Frozen;
using System.Text;

namespace IdentityServer.SignIn;

/// <summary>Why a password cannot be used.</summary>
public enum PasswordFault
{
    None,

    /// <summary>Fewer than <see cref="PasswordRules.MinLength"/> characters.</summary>
    TooShort,

    /// <summary>More than <see cref="PasswordRules.MaxLength"/> characters.</summary>
    TooLong,

    /// <summary>Made of passwords that are tried first.</summary>
    Common,

    /// <summary>Made of the person's own name or address, or this service's name.</summary>
    Personal,

    /// <summary>Made of repetition, sequences or keyboard patterns.</summary>
    Predictable,
}

/// <summary>
/// Which passwords may be chosen: long enough to stand alone, and not among the first an attacker tries (NIST SP 800-63B-4 §3.1.1,
/// ASVS 6.2). No rule about kinds of characters.
/// </summary>
/// <remarks>
/// Beyond the length, a password is cut into pieces and each piece is weighed by how much it adds for somebody who guesses cleverly:
/// a well-known word adds two, a sequence, a repetition, a year or a name one, any other character one each. A password of
/// <see cref="MinLength"/> characters that weighs less than <see cref="MinWeight"/> is easier to guess than it looks.
/// </remarks>
public static class PasswordRules
{
    /// <summary>In Unicode code points, for a password that is the only proof.</summary>
    public const int MinLength = 15;

    /// <summary>In Unicode code points; more than any person types, and a bound for the hash.</summary>
    public const int MaxLength = 256;

    private const int MinWeight = 8;
    private const int WordWeight = 2;
    private const int ShortestWord = 4;
    private const int ShortestName = 3;

    private static readonly string[] KeyboardLines =
    [
        "1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm",
        "qwertz", "azerty", "!@#$%^&*()",
    ];

    private static readonly FrozenSet<string> CommonWords = ReadCommonWords();
    private static readonly int LongestWord = CommonWords.Max(word => word.Length);

    /// <summary>One form for one password, however its letters were composed; applied before hashing and before any rule.</summary>
    public static string Normalize(string password)
    {
        try
        {
            return password.Normalize(NormalizationForm.FormC);
        }
        catch (ArgumentException)
        {
            // Lone surrogates have no normal form; no keyboard makes them.
            return password;
        }
    }

    /// <summary>What is wrong with the password, or <see cref="PasswordFault.None"/>.</summary>
    /// <param name="password">As typed.</param>
    /// <param name="context">Words an attacker knows: the user name, the e-mail address, the names of product and brand.</param>
    public static PasswordFault Check(string password, IEnumerable<string?> context)
    {
        var normal = Normalize(password);
        switch (normal.EnumerateRunes().Count())
        {
            case < MinLength:
                return PasswordFault.TooShort;
            case > MaxLength:
                return PasswordFault.TooLong;
        }

        var names = context.SelectMany(WordsOf).ToHashSet(StringComparer.Ordinal);
        var lower = normal.ToLowerInvariant();
        if (CommonWords.Contains(LettersOf(lower)))
        {
            return PasswordFault.Common;
        }

        var pieces = Cut(lower, names);
        if (pieces.Sum(piece => piece.Weight) >= MinWeight)
        {
            return PasswordFault.None;
        }

        // The reason told is the kind of piece that fills most of the password.
        return pieces.Where(piece => piece.Kind != PasswordFault.None)
            .GroupBy(piece => piece.Kind)
            .MaxBy(kind => kind.Sum(piece => piece.Length))?.Key ?? PasswordFault.Predictable;
    }

    /// <summary>The cut that weighs least: nobody knows in which order an attacker puts the pieces together.</summary>
    private static List<Piece> Cut(string text, HashSet<string> names)
    {
        // Letters are often written as digits and signs that look alike; "1" stands for two of them.
        string[] readings = [text, Unmask(text, 'i'), Unmask(text, 'l')];
        var weights = new int[text.Length + 1];
        var chosen = new Piece[text.Length];
        for (var at = text.Length - 1; at >= 0; at--)
        {
            var from = at;
            chosen[at] = PiecesAt(new Rest(text, at, readings, names)).MinBy(piece => piece.Weight + weights[from + piece.Length])!;
            weights[at] = chosen[at].Weight + weights[at + chosen[at].Length];
        }

        var pieces = new List<Piece>();
        for (var at = 0; at < text.Length; at += pieces[^1].Length)
        {
            pieces.Add(chosen[at]);
        }

        return pieces;
    }

    private static IEnumerable<Piece> PiecesAt(Rest rest) =>
        new[] { Name(rest), Repeat(rest), Line(rest), Year(rest), Echo(rest) }
            .Where(piece => piece.Length > 0)
            .Concat(Words(rest))
            .Append(new Piece(1, 1, PasswordFault.None));

    private static Piece Name(Rest rest) => new(
        rest.Names.Where(name => rest.Readings.Any(reading => string.CompareOrdinal(reading, rest.At, name, 0, name.Length) == 0))
            .Select(name => name.Length)
            .DefaultIfEmpty(0)
            .Max(),
        1,
        PasswordFault.Personal);

    private static IEnumerable<Piece> Words(Rest rest)
    {
        for (var length = Math.Min(LongestWord, rest.Text.Length - rest.At); length >= ShortestWord; length--)
        {
            if (rest.Readings.Any(reading => CommonWords.Contains(reading.Substring(rest.At, length))))
            {
                yield return new(length, WordWeight, PasswordFault.Common);
            }
        }
    }

    // aaaa, abab…: a unit of at most four characters, at least three times or twice four.
    private static Piece Repeat(Rest rest)
    {
        var best = Piece.Nothing;
        for (var unit = 1; unit <= 4; unit++)
        {
            var end = rest.At + unit;
            while (end < rest.Text.Length && rest.Text[end] == rest.Text[end - unit])
            {
                end++;
            }

            var length = end - rest.At;
            if (length >= Math.Max(3, unit * 2) && length > best.Length)
            {
                best = new(length, unit == 1 ? 1 : 2, PasswordFault.Predictable);
            }
        }

        return best;
    }

    // Runs along the alphabet, the digits or a line of the keyboard, forwards or backwards.
    private static Piece Line(Rest rest)
    {
        var longest = Math.Max(Run(rest, 1), Run(rest, -1));
        foreach (var line in KeyboardLines)
        {
            longest = Math.Max(longest, Math.Max(Along(rest, line, 1), Along(rest, line, -1)));
        }

        return longest >= 4 ? new(longest, 1, PasswordFault.Predictable) : Piece.Nothing;
    }

    private static int Run(Rest rest, int step)
    {
        var end = rest.At + 1;
        while (end < rest.Text.Length
            && char.IsLetterOrDigit(rest.Text[end])
            && rest.Text[end] - rest.Text[end - 1] == step)
        {
            end++;
        }

        return end - rest.At;
    }

    private static int Along(Rest rest, string line, int step)
    {
        var length = 0;
        for (var key = line.IndexOf(rest.Text[rest.At], StringComparison.Ordinal);
            key >= 0 && key < line.Length && rest.At + length < rest.Text.Length && line[key] == rest.Text[rest.At + length];
            key += step)
        {
            length++;
        }

        return length;
    }

    private static Piece Year(Rest rest) =>
        rest.At + 4 <= rest.Text.Length
        && rest.Text[rest.At..(rest.At + 2)] is "19" or "20"
        && char.IsAsciiDigit(rest.Text[rest.At + 2]) && char.IsAsciiDigit(rest.Text[rest.At + 3])
            ? new(4, 1, PasswordFault.Predictable)
            : Piece.Nothing;

    // What was there before adds nothing the second time.
    private static Piece Echo(Rest rest)
    {
        var longest = 0;
        for (var from = 0; from < rest.At; from++)
        {
            var length = 0;
            while (rest.At + length < rest.Text.Length && from + length < rest.At && rest.Text[from + length] == rest.Text[rest.At + length])
            {
                length++;
            }

            longest = Math.Max(longest, length);
        }

        return longest >= ShortestWord ? new(longest, 0, PasswordFault.Predictable) : Piece.Nothing;
    }

    private static IEnumerable<string> WordsOf(string? text)
    {
        var lower = Normalize(text ?? "").ToLowerInvariant();
        return lower.Split(['@', '.', '-', '_', ' ', '+', '/', ':'], StringSplitOptions.RemoveEmptyEntries)
            .Append(LettersOf(lower))
            .Where(word => word.Length >= ShortestName);
    }

    private static string LettersOf(string text) => string.Concat(text.Where(char.IsLetterOrDigit));

    private static string Unmask(string text, char one) => string.Create(text.Length, (text, one), static (span, state) =>
    {
        for (var i = 0; i < span.Length; i++)
        {
            span[i] = state.text[i] switch
            {
                '0' => 'o',
                '1' or '!' or '|' => state.one,
                '3' => 'e',
                '4' or '@' => 'a',
                '5' or '$' => 's',
                '7' or '+' => 't',
                '8' => 'b',
                var other => other,
            };
        }
    });

    private static FrozenSet<string> ReadCommonWords()
    {
        using var stream = typeof(PasswordRules).Assembly.GetManifestResourceStream("common-passwords.txt")!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .ToFrozenSet(StringComparer.Ordinal);
    }

    private sealed record Piece(int Length, int Weight, PasswordFault Kind)
    {
        public static Piece Nothing { get; } = new(0, 0, PasswordFault.None);
    }

    private readonly record struct Rest(string Text, int At, string[] Readings, HashSet<string> Names);
}
