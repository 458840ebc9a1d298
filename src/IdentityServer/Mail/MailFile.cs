using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace IdentityServer.Mail;

/// <summary>A mail in Development's folder. Reads what <see cref="MailMessages"/> writes; other people's mail need not be understood.</summary>
/// <param name="Name">Of its file, without the ending.</param>
/// <param name="At">When it was written.</param>
/// <param name="To">The address.</param>
/// <param name="Subject">The subject line.</param>
/// <param name="Text">The plain text.</param>
internal sealed partial record MailFile(string Name, DateTimeOffset At, string To, string Subject, string Text)
{
    public static MailFile? Read(string path)
    {
        try
        {
            return Parse(Path.GetFileNameWithoutExtension(path), File.ReadAllText(path));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or FormatException)
        {
            return null; // somebody removed it just now, or it is none of ours
        }
    }

    private static MailFile? Parse(string name, string file)
    {
        var (headers, body) = Split(file.ReplaceLineEndings("\n"));
        if (!DateTimeOffset.TryParse(headers.GetValueOrDefault("date"), CultureInfo.InvariantCulture, out var at)
            || !headers.TryGetValue("to", out var to))
        {
            return null;
        }

        var boundary = Boundary().Match(headers.GetValueOrDefault("content-type", ""));
        var parts = boundary.Success
            ? body.Split($"--{boundary.Groups["text"].Value}").Select(part => Split(part.TrimStart('\n')))
            : [(headers, body)];
        var plain = parts.FirstOrDefault(part =>
            part.Headers.GetValueOrDefault("content-type", "").StartsWith("text/plain", StringComparison.OrdinalIgnoreCase)
            && part.Headers.GetValueOrDefault("content-transfer-encoding") == "base64");
        return plain.Headers is null
            ? null
            : new(name, at, to, Words(headers.GetValueOrDefault("subject", "")), Encoding.UTF8.GetString(Convert.FromBase64String(plain.Body)));
    }

    private static (Dictionary<string, string> Headers, string Body) Split(string text)
    {
        var end = text.IndexOf("\n\n", StringComparison.Ordinal);
        var head = end < 0 ? text : text[..end];
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in Fold().Replace(head, " ").Split('\n'))
        {
            if (line.Split(':', 2) is [var name, var value])
            {
                headers[name.Trim()] = value.Trim();
            }
        }

        return (headers, end < 0 ? "" : text[(end + 2)..]);
    }

    // RFC 2047: words that are not ASCII.
    private static string Words(string text) => EncodedWord().Replace(SpaceBetween().Replace(text, "?==?"), word =>
    {
        var content = word.Groups["text"].Value;
        var bytes = word.Groups["how"].Value is "b" or "B"
            ? Convert.FromBase64String(content)
            : [.. Quoted(content)];
        return Encoding.UTF8.GetString(bytes);
    });

    private static IEnumerable<byte> Quoted(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '=' && i + 2 < text.Length)
            {
                yield return byte.Parse(text.AsSpan(i + 1, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                i += 2;
            }
            else
            {
                yield return (byte)(text[i] == '_' ? ' ' : text[i]);
            }
        }
    }

    [GeneratedRegex(@"boundary=""?(?<text>[^"";\s]+)", RegexOptions.ExplicitCapture | RegexOptions.IgnoreCase, 1000)]
    private static partial Regex Boundary();

    [GeneratedRegex(@"\n[ \t]+", RegexOptions.None, 1000)]
    private static partial Regex Fold();

    [GeneratedRegex(@"\?=\s+=\?", RegexOptions.None, 1000)]
    private static partial Regex SpaceBetween();

    [GeneratedRegex(@"=\?utf-8\?(?<how>[BQbq])\?(?<text>[^?]*)\?=", RegexOptions.ExplicitCapture | RegexOptions.IgnoreCase, 1000)]
    private static partial Regex EncodedWord();
}
