using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using IdentityServer.Protocol.Clients;
using Spectre.Console;

namespace IdentityServer.Commands;

/// <summary>
/// Where a command reads and writes. The result goes to the output, everything else (hints, warnings, errors) to the errors: with
/// <c>--json</c> the output is JSON and nothing but.
/// </summary>
internal sealed class Terminal(TextReader input, TextWriter output, TextWriter errors, bool isOutputTerminal, bool isInputTerminal)
{
    // Wide enough that nothing is broken or cut when a script reads the table.
    private const int UnboundedWidth = 10_000;

    private static readonly JsonWriterOptions Readable =
        new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Terminal Standard { get; } = new(
        Console.In, Console.Out, Console.Error, !Console.IsOutputRedirected, !Console.IsInputRedirected);

    public TextWriter Output => output;

    public TextWriter Errors => errors;

    public void Say(string line) => output.WriteLine(line);

    public void Hint(string line) => errors.WriteLine(line);

    public void WriteJson(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Readable))
        {
            write(writer);
        }

        output.WriteLine(Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length));
    }

    public void WriteJsonArray<T>(IEnumerable<T> items, Action<Utf8JsonWriter, T> writeItem) => WriteJson(writer =>
    {
        writer.WriteStartArray();
        foreach (var item in items)
        {
            writeItem(writer, item);
        }

        writer.WriteEndArray();
    });

    /// <summary>A table for people; says <paramref name="empty"/> instead when there is nothing.</summary>
    public void WriteTable(string empty, IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        var table = new Table().Border(TableBorder.Simple);
        foreach (var column in columns)
        {
            table.AddColumn(new TableColumn(new Text(column)));
        }

        foreach (var row in rows)
        {
            table.AddRow(row.Select(cell => new Text(Printable(cell))));
        }

        if (table.Rows.Count == 0)
        {
            Say(empty);
            return;
        }

        AnsiOutput().Write(table);
    }

    /// <summary>Names and values of one thing, for people.</summary>
    public void WriteFacts(IEnumerable<(string Name, string? Value)> facts)
    {
        var shown = facts.Where(fact => !string.IsNullOrEmpty(fact.Value)).ToArray();
        var width = shown.Select(fact => fact.Name.Length).DefaultIfEmpty(0).Max();
        foreach (var (name, value) in shown)
        {
            Say($"  {name.PadRight(width)}  {Printable(value!)}");
        }
    }

    /// <summary>One line that must not be shown while it is typed.</summary>
    public string? ReadSecret(string prompt)
    {
        if (!isInputTerminal)
        {
            return input.ReadLine();
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(errors) });
        return console.Prompt(new TextPrompt<string>(prompt).Secret(null).AllowEmpty());
    }

    // What is stored was checked when it came in; this is for what an older server or another tool wrote.
    private static string Printable(string text) => text.Any(char.IsControl) ? Identifiers.Shown(text) : text;

    private IAnsiConsole AnsiOutput()
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(output),
            Ansi = isOutputTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = isOutputTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
        });
        if (!isOutputTerminal)
        {
            console.Profile.Width = UnboundedWidth;
        }

        return console;
    }
}
