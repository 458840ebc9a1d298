using System.Diagnostics;
using System.Globalization;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Documentation;

/// <summary>Every command that the documentation shows is run, page by page, and does what is shown.</summary>
public sealed class CommandTests
{
    /// <summary>Languages of blocks that hold no commands.</summary>
    private static readonly string[] Illustrations = ["text", "json", "csharp", "sql", "ini", "http", "xml", "yaml", "html", "javascript", "nginx"];

    /// <summary>Why a block may go unrun; another reason is a line here that a reviewer sees.</summary>
    private static readonly string[] Excuses = ["it runs this test", "it takes minutes", "needs Docker", "needs a published program"];

    /// <summary>The page with a synopsis of every command.</summary>
    private const string Synopses = "docs/command-line.md";

    /// <summary>The README's way to start.</summary>
    private const string FirstCommand = "dotnet run --project src/IdentityServer";

    public static TheoryData<string> Pages =>
        [.. Document.All.Where(document => document.Blocks.Any(IsRun)).Select(document => document.Name)];

    public static TheoryData<string> AllPages => [.. Document.All.Select(document => document.Name)];

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task The_commands_of_a_page_do_what_it_shows(string page)
    {
        var ct = TestContext.Current.CancellationToken;
        await using var terminal = new Terminal();
        var steps = Document.Named(page).Blocks.Where(IsRun).SelectMany(block => block.Steps()).ToArray();
        for (var at = 0; at < steps.Length; at++)
        {
            var looksAtCode = at + 1 < steps.Length && steps[at + 1].Command == "echo $?";
            try
            {
                await terminal.TypeAsync(steps[at], looksAtCode, ct);
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                throw new CheckFailedException($"{page}:{steps[at].Number}: {failure.Message}", failure);
            }
        }
    }

    [Theory]
    [MemberData(nameof(AllPages))]
    public void Every_command_of_a_page_is_run_or_says_why_not(string page)
    {
        var document = Document.Named(page);
        foreach (var block in document.Blocks)
        {
            var place = $"{page}:{block.From}";
            Assert.True(
                block.Language == Block.Session || Illustrations.Contains(block.Language),
                $"{place}: a block of “{block.Language}” is not covered; commands stand in {Block.Session}, the rest says what it is.");
            Assert.True(block.NotRunBecause is null || Excuses.Contains(block.NotRunBecause), $"{place}: “{block.NotRunBecause}” is no reason.");
            Assert.Equal(
                block.Language == Block.Session,
                block.Lines.Any(line => line.StartsWith("$ ", StringComparison.Ordinal)));
        }

        // Four spaces make code as well, which no test would run. The synopses of the command line are held to the program elsewhere.
        var prose = document.Prose.ToArray();
        Assert.DoesNotContain(
            prose.Zip(prose.Skip(1)),
            pair => page != Synopses && pair.First.Text.Length == 0 && pair.Second.Text.StartsWith("    ", StringComparison.Ordinal)
                && pair.Second.Text.TrimStart() is [not ('-' or '*' or '|'), ..]);
    }

    [Fact]
    public void The_README_shows_how_to_start_and_how_to_test()
    {
        var commands = Document.Named("README.md").Blocks.Where(block => block.Language == Block.Session)
            .SelectMany(block => block.Steps()).Select(step => step.Command).ToArray();

        Assert.Contains(FirstCommand, commands);
        Assert.Contains("tests/run.sh", commands);
        Assert.True(
            OperatingSystem.IsWindows()
            || File.GetUnixFileMode(Path.Combine(Repository.Root, "tests", "run.sh")).HasFlag(UnixFileMode.UserExecute));
    }

    /// <summary>The one place where nothing is replaced: what a stranger types after cloning, with the build that it brings about.</summary>
    [Fact]
    public async Task The_first_command_works_in_a_fresh_checkout()
    {
        var ct = TestContext.Current.CancellationToken;
        var checkout = Directory.CreateTempSubdirectory("identityserver-checkout-").FullName;
        try
        {
            foreach (var file in Sources.Files)
            {
                var copy = Path.Combine(checkout, file);
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                File.Copy(Path.Combine(Repository.Root, file), copy);
            }

            var start = new ProcessStartInfo("setsid", ["bash", "-c", "exec " + FirstCommand])
            {
                WorkingDirectory = checkout,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
            };
            var port = ServerFolder.FreePort().ToString(CultureInfo.InvariantCulture);
            start.Environment["ASPNETCORE_URLS"] = "http://localhost:" + port;

            // Build servers that stay behind would outlive the test.
            start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
            start.Environment["UseSharedCompilation"] = "false";

            // These sources were analysed when this test was built, and that takes half of a build.
            start.Environment["RunAnalyzers"] = "false";

            var shown = Document.Named("README.md").Blocks.SelectMany(block => block.Steps())
                .First(step => step.Command == FirstCommand).Shown
                .Select(line => line.Replace(":5000", ":" + port, StringComparison.Ordinal));
            await using var server = new RunningCommand(start);
            await server.WaitUntilShownAsync(new ExpectedOutput(shown), TimeSpan.FromMinutes(8), ct);

            Assert.Equal(0, await server.InterruptAsync(TimeSpan.FromMinutes(1), ct));
            Assert.True(File.Exists(Path.Combine(checkout, "data", "identityserver.db")));
            Assert.True(File.Exists(Path.Combine(checkout, "keys-dev", "master.key")));
        }
        finally
        {
            Directory.Delete(checkout, recursive: true);
        }
    }

    private static bool IsRun(Block block) => block.Language == Block.Session && block.NotRunBecause is null;
}
