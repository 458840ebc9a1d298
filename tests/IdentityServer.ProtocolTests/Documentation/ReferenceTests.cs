using System.Reflection;
using System.Text.RegularExpressions;
using IdentityServer.Protocol.Audit;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Documentation;

/// <summary>What documentation and sources say about one another is so.</summary>
public sealed partial class ReferenceTests
{
    /// <summary>Folders of the machines that build this; in two halves, or this file would be the first to fail.</summary>
    private static readonly string[] MachinePlaces =
        ["/wo" + "rk/", "/tm" + "p/", "/ro" + "ot/", "/ho" + "me/", "/sha" + "red/", @":\Us" + "ers"];

    public static TheoryData<string> Pages => [.. Document.All.Select(document => document.Name)];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_link_of_a_page_leads_somewhere(string page)
    {
        foreach (var (number, target) in Document.Named(page).Links)
        {
            if (target.StartsWith("http://localhost", StringComparison.Ordinal))
            {
                continue;
            }

            var place = $"{page}:{number}: {target}";
            Assert.False(target.Contains("://", StringComparison.Ordinal), $"{place} leads out of the repository.");
            var (path, anchor) = target.Split('#') is [var before, var after] ? (before, after) : (target, null);
            var file = path.Length == 0 ? page : Path.GetRelativePath(
                Repository.Root, Path.Combine(Repository.Root, Path.GetDirectoryName(page)!, path));
            Assert.True(Path.Exists(Path.Combine(Repository.Root, file)), $"{place} leads nowhere.");
            Assert.True(anchor is null || Document.Named(file).Anchors.Contains(anchor), $"{place}: there is no such heading.");
        }
    }

    [Fact]
    public void Every_page_can_be_reached_from_the_README()
    {
        var reached = new HashSet<string>(StringComparer.Ordinal) { "README.md" };
        var open = new Queue<string>(reached);
        while (open.TryDequeue(out var page))
        {
            var folder = Path.Combine(Repository.Root, Path.GetDirectoryName(page)!);
            foreach (var (_, target) in Document.Named(page).Links)
            {
                var file = Path.GetRelativePath(Repository.Root, Path.Combine(folder, target.Split('#')[0]));
                var found = Directory.Exists(Path.Combine(Repository.Root, file))
                    ? Document.All.Where(document => Path.GetDirectoryName(document.Name) == file)
                    : Document.All.Where(document => document.Name == file);
                foreach (var document in found.Where(document => reached.Add(document.Name)))
                {
                    open.Enqueue(document.Name);
                }
            }
        }

        Assert.Empty(Document.All.Select(document => document.Name).Except(reached, StringComparer.Ordinal).ToArray());
    }

    [Fact]
    public void Every_page_that_the_sources_cite_exists()
    {
        foreach (var file in Sources.TextFiles.Where(file => !file.EndsWith(".md", StringComparison.Ordinal)))
        {
            foreach (Match cited in Citation().Matches(Sources.Read(file)))
            {
                var path = cited.Groups["path"].Value;
                var page = Document.All.SingleOrDefault(document => document.Name == path || DecisionOf(document) == path);
                Assert.True(page is not null || Path.Exists(Path.Combine(Repository.Root, path)), $"{file} cites {cited.Value}, which does not exist.");
                var section = cited.Groups["section"].Value;
                Assert.True(
                    section.Length == 0 || page!.Headings.Any(heading => heading.StartsWith(section, StringComparison.Ordinal)),
                    $"{file}: {path} has no section “{section}”.");
            }
        }
    }

    [Fact]
    public void Decisions_are_numbered_and_named_after_their_title()
    {
        var decisions = Document.All.Where(document => DecisionOf(document) is not null).ToArray();

        Assert.Equal(Document.All.Count(document => document.Name.StartsWith("docs/adr/", StringComparison.Ordinal)), decisions.Length);
        Assert.Equal(
            Enumerable.Range(1, decisions.Length).Select(number => $"docs/adr/{number:0000}"),
            decisions.Select(DecisionOf));
        Assert.All(decisions, document => Assert.StartsWith(
            Path.GetFileName(document.Name)[..4] + " ", document.Headings[0], StringComparison.Ordinal));
    }

    [Fact]
    public void Nothing_speaks_of_the_machine_it_was_made_on()
    {
        foreach (var file in Sources.TextFiles)
        {
            var text = Sources.Read(file);
            Assert.All(MachinePlaces, place => Assert.False(
                text.Contains(place, StringComparison.OrdinalIgnoreCase), $"{file} speaks of {place}."));
        }
    }

    [Fact]
    public void The_audit_page_explains_every_word_of_the_vocabulary_and_no_other()
    {
        var words = typeof(AuditTypes).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Select(field => (string)field.GetRawConstantValue()!);
        var explained = Document.Named("docs/audit.md").Prose
            .Where(line => line.Text.StartsWith("| `", StringComparison.Ordinal))
            .SelectMany(line => DottedWord().Matches(line.Text.Split('|')[1]))
            .Select(match => match.Groups["word"].Value);

        Assert.Equal(words.Order(StringComparer.Ordinal), explained.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_page_of_packages_names_every_package_that_is_referenced()
    {
        var page = Sources.Read("docs/packages.md");
        var referenced = Sources.Files
            .Where(file => file.EndsWith(".csproj", StringComparison.Ordinal) || file == "Directory.Build.props")
            .SelectMany(file => Package().Matches(Sources.Read(file)))
            .Select(match => match.Groups["name"].Value)
            .Distinct(StringComparer.Ordinal);

        Assert.All(referenced, name => Assert.Matches(
            new Regex($@"(?<![\w.]){Regex.Escape(name)}(?![\w.]*\w)", RegexOptions.None, TimeSpan.FromSeconds(5)), page));
    }

    [Fact]
    public void The_map_shows_every_room_and_nothing_that_is_not_there()
    {
        var map = Document.Named("docs/architecture.md").Blocks
            .First(block => block.Lines.Contains("src/IdentityServer.Protocol/", StringComparer.Ordinal));
        var project = "";
        var rooms = new List<string>();
        foreach (var line in map.Lines)
        {
            if (line.EndsWith('/') && !line.StartsWith(' '))
            {
                project = line.TrimEnd('/');
                continue;
            }

            rooms.AddRange(Room().Matches(line).Select(match => $"{project}/{match.Groups["name"].Value}"));
            if (project.StartsWith("src/", StringComparison.Ordinal))
            {
                Assert.All(TypeName().Matches(line), match => Assert.Contains(Sources.Files, file =>
                    file.StartsWith(project + "/", StringComparison.Ordinal)
                    && Path.GetFileName(file).Split('.')[0] == match.Groups["name"].Value));
            }
        }

        var folders = Sources.Files
            .Where(file => file.StartsWith("src/IdentityServer", StringComparison.Ordinal))
            .Select(file => file.Split('/'))
            .Where(parts => parts.Length > 3)
            .Select(parts => string.Join('/', parts[..3]))
            .Distinct(StringComparer.Ordinal);
        Assert.Equal(folders.Order(StringComparer.Ordinal), rooms.Order(StringComparer.Ordinal));
    }

    private static string? DecisionOf(Document document) =>
        Decision().Match(document.Name) is { Success: true } match ? match.Value : null;

    [GeneratedRegex(@"(?<![\w/])(?<path>docs/(adr/\d{4}|[\w/-]+(\.\w+)?))(, ""(?<section>[^""]+)"")?", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Citation();

    [GeneratedRegex(@"^docs/adr/\d{4}(?=-[a-z0-9-]+\.md$)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Decision();

    [GeneratedRegex(@"`(?<word>[a-z]+\.[a-z_]+)`", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex DottedWord();

    [GeneratedRegex(@"<PackageReference Include=""(?<name>[^""]+)""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Package();

    [GeneratedRegex(@"(?<![\w/])(?<name>[A-Za-z]+)/(?=\s|$)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Room();

    // A capital letter and nothing that would make it a folder or prose: prose in the map is in small letters.
    [GeneratedRegex(@"(?<![\w/.])(?<name>[A-Z]\w+)(?![\w/])", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex TypeName();
}
