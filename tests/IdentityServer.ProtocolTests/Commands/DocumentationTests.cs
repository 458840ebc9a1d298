using System.CommandLine;
using System.Reflection;
using IdentityServer.Commands;
using IdentityServer.Configuration;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Commands;

/// <summary>docs/command-line.md and docs/settings.md name everything there is.</summary>
public sealed class DocumentationTests
{
    [Fact]
    public void Every_command_and_option_is_documented()
    {
        var text = Document("command-line.md");
        var terminal = new Terminal(TextReader.Null, TextWriter.Null, TextWriter.Null, isOutputTerminal: false, isInputTerminal: false);

        foreach (var (path, command) in Leaves(CommandLine.Root(terminal), "identityserver"))
        {
            Assert.Contains($"\n{path}", text, StringComparison.Ordinal);
            var usage = text[text.IndexOf($"\n{path}", StringComparison.Ordinal)..];
            Assert.All(
                command.Options.Where(option => option is not System.CommandLine.Help.HelpOption),
                option => Assert.Contains(option.Name, usage, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Every_setting_is_documented()
    {
        var text = Document("settings.md");

        Assert.All(Settings(typeof(ServerSettings), "IdentityServer"), name => Assert.Contains($"`{name}`", text, StringComparison.Ordinal));
    }

    private static IEnumerable<(string Path, Command Command)> Leaves(Command command, string path) => command.Subcommands.Count == 0
        ? [(path, command)]
        : command.Subcommands.SelectMany(child => Leaves(child, $"{path} {child.Name}"));

    private static IEnumerable<string> Settings(Type type, string path) =>
        from property in type.GetProperties(BindingFlags.Instance | BindingFlags.Public)
        let name = $"{path}:{property.Name}"
        from setting in property.PropertyType.Namespace == typeof(ServerSettings).Namespace ? Settings(property.PropertyType, name) : [name]
        select setting;

    private static string Document(string name) => File.ReadAllText(Path.Combine(Repository.Root, "docs", name));
}
