using System.Collections.Frozen;
using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using IdentityServer.Protocol.Clients;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace IdentityServer.Storage;

/// <summary>Small lists and maps are stored as JSON text: they are read and written whole, never searched.</summary>
internal sealed class TextListConverter() : ValueConverter<IReadOnlyList<string>, string>(
    list => JsonSerializer.Serialize(list, StorageJson.Plain.IReadOnlyListString),
    json => JsonSerializer.Deserialize(json, StorageJson.Plain.IReadOnlyListString)!);

/// <inheritdoc cref="TextListConverter"/>
internal sealed class TextSetConverter() : ValueConverter<FrozenSet<string>, string>(
    set => JsonSerializer.Serialize(set.Order(StringComparer.Ordinal).ToArray(), StorageJson.Plain.IReadOnlyListString),
    json => JsonSerializer.Deserialize(json, StorageJson.Plain.IReadOnlyListString)!.ToFrozenSet(StringComparer.Ordinal));

/// <inheritdoc cref="TextListConverter"/>
internal sealed class TextMapConverter() : ValueConverter<IReadOnlyDictionary<string, string>, string>(
    map => JsonSerializer.Serialize(map, StorageJson.Plain.IReadOnlyDictionaryStringString),
    json => JsonSerializer.Deserialize(json, StorageJson.Plain.IReadOnlyDictionaryStringString)!);

/// <inheritdoc cref="TextListConverter"/>
internal sealed class ClientSecretsConverter() : ValueConverter<IReadOnlyList<ClientSecret>, string>(
    secrets => JsonSerializer.Serialize(secrets, StorageJson.Plain.IReadOnlyListClientSecret),
    json => JsonSerializer.Deserialize(json, StorageJson.Plain.IReadOnlyListClientSecret)!);

/// <summary>The records are immutable, so a value has changed when it is another object.</summary>
internal sealed class SameObjectComparer<T>() : ValueComparer<T>(
    (left, right) => ReferenceEquals(left, right),
    value => RuntimeHelpers.GetHashCode(value!),
    value => value)
    where T : class;

[JsonSerializable(typeof(IReadOnlyList<string>))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, string>))]
[JsonSerializable(typeof(IReadOnlyList<ClientSecret>))]
internal sealed partial class StorageJson : JsonSerializerContext
{
    /// <summary>Text is kept readable: this JSON is never written into a page.</summary>
    public static StorageJson Plain { get; } =
        new(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
