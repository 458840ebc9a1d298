using System.Data.Common;
using System.Text.Json;

namespace IdentityServer.Storage.Deeds;

/// <summary>Values between records and hand-written statements, stored exactly as the EF Core model stores them.</summary>
internal static class Columns
{
    public static object Of(DateTimeOffset instant) => instant.ToUnixTimeMilliseconds();

    public static object? Of(DateTimeOffset? instant) => instant?.ToUnixTimeMilliseconds();

    public static object Of(IReadOnlyList<string> list) => JsonSerializer.Serialize(list, StorageJson.Plain.IReadOnlyListString);

    public static object Of(IReadOnlyDictionary<string, string> map) =>
        JsonSerializer.Serialize(map, StorageJson.Plain.IReadOnlyDictionaryStringString);

    public static DateTimeOffset Instant(this DbDataReader reader, int column) =>
        DateTimeOffset.FromUnixTimeMilliseconds(reader.GetInt64(column));

    public static DateTimeOffset? InstantOrNull(this DbDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.Instant(column);

    public static TimeSpan Duration(this DbDataReader reader, int column) => TimeSpan.FromMilliseconds(reader.GetInt64(column));

    public static TimeSpan? DurationOrNull(this DbDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.Duration(column);

    public static byte[]? BytesOrNull(this DbDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetFieldValue<byte[]>(column);

    public static string? TextOrNull(this DbDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetString(column);

    public static IReadOnlyList<string> List(this DbDataReader reader, int column) =>
        JsonSerializer.Deserialize(reader.GetString(column), StorageJson.Plain.IReadOnlyListString)!;

    public static IReadOnlyDictionary<string, string> Map(this DbDataReader reader, int column) =>
        JsonSerializer.Deserialize(reader.GetString(column), StorageJson.Plain.IReadOnlyDictionaryStringString)!;
}
