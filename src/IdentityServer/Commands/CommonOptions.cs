using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace IdentityServer.Commands;

/// <summary>What several commands share: the same option is spelled, and the same value written, in one way.</summary>
internal static class CommonOptions
{
    public static Option<bool> Json() => new("--json") { Description = "Print JSON and nothing else." };

    /// <summary>Repeatable, and also several values after one mention.</summary>
    public static Option<string[]> Many(string name, string placeholder, string description) => new(name)
    {
        Description = description,
        HelpName = placeholder,
        AllowMultipleArgumentsPerToken = true,
        Arity = ArgumentArity.OneOrMore,
        DefaultValueFactory = _ => [],
    };

    public static Option<string?> One(string name, string placeholder, string description) =>
        new(name) { Description = description, HelpName = placeholder };

    public static Argument<string> Name(string name, string description) => new(name) { Description = description };

    /// <summary>For people: to the second, in UTC.</summary>
    public static string Shown(DateTimeOffset? instant) =>
        instant?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "–";

    public static void WriteInstant(Utf8JsonWriter writer, string name, DateTimeOffset? instant)
    {
        if (instant is { } known)
        {
            writer.WriteString(name, known.UtcDateTime);
        }
        else
        {
            writer.WriteNull(name);
        }
    }

    public static void WriteArray(Utf8JsonWriter writer, string name, IEnumerable<string> values)
    {
        writer.WriteStartArray(name);
        foreach (var value in values)
        {
            writer.WriteStringValue(value);
        }

        writer.WriteEndArray();
    }
}
