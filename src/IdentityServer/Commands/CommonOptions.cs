using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using IdentityServer.Protocol.Clients;

namespace IdentityServer.Commands;

/// <summary>What several commands share: the same option is spelled, and the same value written, in one way.</summary>
internal static class CommonOptions
{
    private static readonly string[] Instants =
    [
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd HH:mm:ss'Z'", "yyyy-MM-dd",
    ];

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

    /// <summary>A length of time as people type it.</summary>
    public static Option<TimeSpan?> Duration(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "DURATION",
        CustomParser = parsed =>
        {
            if (Durations.TryParse(parsed.Tokens[0].Value, out var duration))
            {
                return duration;
            }

            parsed.AddError($"“{Identifiers.Shown(parsed.Tokens[0].Value)}” is no duration: write 0, 90s, 15m, 24h or 7d; at most 365d.");
            return null;
        },
    };

    /// <summary>A moment in ISO 8601; without an offset it is UTC. <c>+26h</c> counts from now.</summary>
    public static Option<DateTimeOffset?> Instant(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "INSTANT",
        CustomParser = parsed =>
        {
            var text = parsed.Tokens[0].Value;
            if (text.StartsWith('+') && Durations.TryParse(text[1..], out var ahead))
            {
                return TimeProvider.System.GetUtcNow() + ahead;
            }

            if (DateTimeOffset.TryParseExact(text, Instants, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant))
            {
                return instant.ToUniversalTime();
            }

            parsed.AddError($"“{Identifiers.Shown(text)}” is no instant: write 2026-12-01T09:00:00Z, with another offset, or +26h from now.");
            return null;
        },
    };

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
