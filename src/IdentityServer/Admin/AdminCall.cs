using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace IdentityServer.Admin;

/// <summary>A request of somebody who may make it.</summary>
/// <param name="Actor">As in the audit log.</param>
/// <param name="Query">What follows the question mark.</param>
/// <param name="Body">The body as it came, not too large.</param>
internal sealed record AdminCall(string Actor, IQueryCollection Query, ReadOnlyMemory<byte> Body)
{
    /// <summary>Reads the body; an empty one is an object without members.</summary>
    public bool TryRead<T>(
        JsonTypeInfo<T> type, [NotNullWhen(true)] out T? body, [NotNullWhen(false)] out AdminAnswer? refused)
        where T : class, new()
    {
        refused = null;
        body = null;
        try
        {
            body = Body.IsEmpty ? new T() : JsonSerializer.Deserialize(Body.Span, type);
            refused = body is null ? AdminAnswer.Malformed("The body is not a JSON object.") : null;
        }
        catch (JsonException error)
        {
            var place = error.Path is { Length: > 2 } path ? $" at {path[2..]}" : "";
            refused = AdminAnswer.Malformed(
                $"The body is not the JSON that is expected{place}: see docs/admin-api.md for its members and how they are written.");
        }

        return body is not null;
    }
}
