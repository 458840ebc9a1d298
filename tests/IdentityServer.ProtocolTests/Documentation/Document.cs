using System.Text.RegularExpressions;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Documentation;

/// <summary>One page of the documentation, as far as the tests read it: headings, links, fenced blocks.</summary>
/// <remarks>
/// The convention for commands: a block fenced as <c>console</c> is a session at a terminal. Lines that begin with <c>$ </c> are typed and
/// run (a backslash at the end continues), <c>^C</c> interrupts what runs, everything else is what comes back, in shape: see
/// <see cref="ExpectedOutput"/>. A block that cannot be run here is preceded by <c>&lt;!-- not run: REASON --&gt;</c>.
/// </remarks>
internal sealed partial class Document
{
    private readonly string[] _lines;

    private Document(string name)
    {
        Name = name;
        _lines = File.ReadAllLines(System.IO.Path.Combine(Repository.Root, name));
        Blocks = ReadBlocks();
    }

    /// <summary>The path within the repository.</summary>
    public string Name { get; }

    public IReadOnlyList<Block> Blocks { get; }

    /// <summary>Every page: the README and what is below docs/.</summary>
    public static IReadOnlyList<Document> All { get; } =
    [
        .. Sources.Files.Where(file => file == "README.md" || (file.StartsWith("docs/", StringComparison.Ordinal) && file.EndsWith(".md", StringComparison.Ordinal)))
            .Order(StringComparer.Ordinal)
            .Select(file => new Document(file)),
    ];

    public static Document Named(string name) => All.Single(document => document.Name == name);

    /// <summary>Lines outside of fenced blocks, with their numbers.</summary>
    public IEnumerable<(int Number, string Text)> Prose => _lines
        .Select((text, index) => (Number: index + 1, text))
        .Where(line => !Blocks.Any(block => line.Number >= block.From && line.Number <= block.To));

    public IReadOnlyList<string> Headings =>
        [.. Prose.Where(line => Heading().IsMatch(line.Text)).Select(line => Heading().Replace(line.Text, "").Trim())];

    /// <summary>What may follow <c>#</c> in a link to this page.</summary>
    public IEnumerable<string> Anchors => Headings.Select(heading =>
        NotInAnchor().Replace(heading.ToLowerInvariant(), "").Replace(' ', '-'));

    /// <summary>Targets of links and pictures.</summary>
    public IEnumerable<(int Number, string Target)> Links => Prose.SelectMany(line =>
        Link().Matches(InlineCode().Replace(line.Text, "")).Select(match => (line.Number, match.Groups["target"].Value)));

    public override string ToString() => Name;

    private List<Block> ReadBlocks()
    {
        var blocks = new List<Block>();
        for (var at = 0; at < _lines.Length; at++)
        {
            if (!Fence().IsMatch(_lines[at]))
            {
                continue;
            }

            var end = Array.FindIndex(_lines, at + 1, line => Fence().IsMatch(line));
            Assert.True(end > 0, $"{Name}:{at + 1}: the block is not closed.");
            var indent = _lines[at].Length - _lines[at].TrimStart().Length;
            var content = _lines[(at + 1)..end].Select(line => line[Math.Min(indent, line.Length)..]).ToArray();
            var before = at > 0 ? NotRun().Match(_lines[at - 1]) : Match.Empty;
            blocks.Add(new Block(
                Name, at + 1, end + 1, _lines[at].Trim().TrimStart('`').Trim(), content, before.Success ? before.Groups["reason"].Value : null));
            at = end;
        }

        return blocks;
    }

    [GeneratedRegex(@"^\s*```", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Fence();

    [GeneratedRegex(@"^#{1,6}\s+", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\p{L}\p{N} _-]", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NotInAnchor();

    [GeneratedRegex(@"`[^`]*`(?!\])", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex InlineCode();

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Link();

    [GeneratedRegex(@"^\s*<!-- not run: (?<reason>.+) -->\s*$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NotRun();
}

/// <summary>A fenced block.</summary>
/// <param name="Document">The page it stands in.</param>
/// <param name="From">Line number of the opening fence.</param>
/// <param name="To">Line number of the closing fence.</param>
/// <param name="Language">What follows the opening fence.</param>
/// <param name="Lines">What is inside.</param>
/// <param name="NotRunBecause">Why it cannot be run here, if it says so.</param>
internal sealed record Block(string Document, int From, int To, string Language, IReadOnlyList<string> Lines, string? NotRunBecause)
{
    public const string Session = "console";

    /// <summary>What is typed, each with what is shown to come back.</summary>
    public IReadOnlyList<Step> Steps()
    {
        var steps = new List<Step>();
        for (var at = 0; at < Lines.Count; at++)
        {
            var line = Lines[at];
            if (line.StartsWith("$ ", StringComparison.Ordinal))
            {
                var command = line[2..];
                while (command.EndsWith('\\') && at + 1 < Lines.Count)
                {
                    command += "\n" + Lines[++at];
                }

                steps.Add(new Step(From + at + 1, command, []));
            }
            else if (line == "^C")
            {
                steps.Add(new Step(From + at + 1, Step.Interrupt, []));
            }
            else
            {
                Assert.True(steps.Count > 0, $"{Document}:{From}: a session begins with a command.");
                steps[^1] = steps[^1] with { Shown = [.. steps[^1].Shown, line] };
            }
        }

        return steps;
    }
}

/// <summary>One command of a session.</summary>
/// <param name="Number">Its line number.</param>
/// <param name="Command">What is typed.</param>
/// <param name="Shown">The lines that come back.</param>
internal sealed partial record Step(int Number, string Command, IReadOnlyList<string> Shown)
{
    public const string Interrupt = "^C";

    /// <summary>A server: it goes on until it is interrupted or the page ends.</summary>
    public bool StaysRunning => Server().IsMatch(Command);

    [GeneratedRegex(@"^(dotnet run --project \S+|identityserver)( -- serve| serve)?( --urls \S+)?$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Server();
}
