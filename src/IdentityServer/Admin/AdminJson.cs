using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace IdentityServer.Admin;

/// <summary>RFC 9457, with the code of a refusal and, where that is the matter, the earliest possible time.</summary>
internal sealed record AdminProblem(string Type, string Title, int Status, string Detail, string Code, DateTimeOffset? Earliest);

/// <summary>A key.</summary>
internal record KeyView
{
    public required string Kid { get; init; }

    public required string Alg { get; init; }

    public required string State { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required DateTimeOffset? ActiveFrom { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required DateTimeOffset? RetiresAt { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required DateTimeOffset? ErasedAt { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required DateTimeOffset? RevokedAt { get; init; }

    public string? RevokedBecause { get; init; }

    public required bool Held { get; init; }

    public required long TokensAlive { get; init; }
}

/// <summary>A key with everything there is to say about it.</summary>
internal sealed record KeyDetailView : KeyView
{
    public required string MasterKeyId { get; init; }

    public required JsonElement Jwk { get; init; }

    public required IReadOnlyList<ClientUseView> Uses { get; init; }
}

/// <summary>What a client still has of a key.</summary>
internal sealed record ClientUseView(string Client, long Tokens, DateTimeOffset LastEnd);

/// <summary>When the keys of an algorithm roll over.</summary>
internal sealed record PlanView
{
    public required string Alg { get; init; }

    public string? Signing { get; init; }

    public TimeSpan? Every { get; init; }

    public string? Cron { get; init; }

    public string? TimeZone { get; init; }

    public required bool Forced { get; init; }

    public DateTimeOffset? NextActivation { get; init; }

    public PendingView? Pending { get; init; }

    public string? UndoTo { get; init; }
}

/// <summary>A rollover that is announced.</summary>
internal sealed record PendingView(string Kid, DateTimeOffset At, bool Held);

/// <summary>What was done.</summary>
internal sealed record DeedView(string Did, string? Detail, KeyView Key, string? Signing, int? SessionsEnded);

/// <summary>Only the sessions were left to end.</summary>
internal sealed record SessionsEndedView(int SessionsEnded);

/// <summary>What ends when a key is declared compromised.</summary>
internal sealed record CompromiseView(
    string Kid,
    string Alg,
    string State,
    long TokensAlive,
    DateTimeOffset? LastEnd,
    IReadOnlyList<ClientUseView> Clients,
    SuccessorView TakesOver);

/// <summary>What signs after a compromise.</summary>
/// <param name="How"><c>announced</c>: the key that is announced; <c>new</c>: one made then; <c>unchanged</c>: the key did not sign.</param>
/// <param name="Kid">The key, where it is there already.</param>
internal sealed record SuccessorView(string How, string? Kid);

/// <summary>Whether a rollover can come.</summary>
internal sealed record PreflightView
{
    public required string Alg { get; init; }

    public required string Kid { get; init; }

    public required string State { get; init; }

    public DateTimeOffset? SignsFrom { get; init; }

    public required bool Held { get; init; }

    public required TimeSpan LeadTime { get; init; }

    public required string LeadReason { get; init; }

    public required DateTimeOffset Earliest { get; init; }

    public required IReadOnlyList<ReadinessView> Clients { get; init; }
}

/// <summary>Whether a client has a key.</summary>
internal sealed record ReadinessView
{
    public required string Client { get; init; }

    public required string State { get; init; }

    public DateTimeOffset? FetchedAt { get; init; }

    public DateTimeOffset? LastFetchAt { get; init; }

    public long? UsualIntervalSeconds { get; init; }

    public required bool HoldsBack { get; init; }

    public required string Evidence { get; init; }
}

/// <summary>Exactly one of an instant, an interval and a cron expression.</summary>
internal sealed record ScheduleBody
{
    public DateTimeOffset? At { get; init; }

    public TimeSpan? Every { get; init; }

    public string? Cron { get; init; }

    public string? TimeZone { get; init; }

    public bool Force { get; init; }
}

internal sealed record MoveBody
{
    public DateTimeOffset? At { get; init; }

    public bool Force { get; init; }
}

internal sealed record ForceBody
{
    public bool Force { get; init; }
}

internal sealed record CompromiseBody
{
    public string? Reason { get; init; }

    public bool EndSessions { get; init; }
}

internal sealed record EmptyBody;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    MaxDepth = 8,
    Converters = [typeof(InstantConverter), typeof(DurationConverter)])]
[JsonSerializable(typeof(AdminProblem))]
[JsonSerializable(typeof(IReadOnlyList<KeyView>))]
[JsonSerializable(typeof(KeyDetailView))]
[JsonSerializable(typeof(IReadOnlyList<PlanView>))]
[JsonSerializable(typeof(PlanView))]
[JsonSerializable(typeof(DeedView))]
[JsonSerializable(typeof(SessionsEndedView))]
[JsonSerializable(typeof(CompromiseView))]
[JsonSerializable(typeof(PreflightView))]
[JsonSerializable(typeof(ScheduleBody))]
[JsonSerializable(typeof(MoveBody))]
[JsonSerializable(typeof(ForceBody))]
[JsonSerializable(typeof(CompromiseBody))]
[JsonSerializable(typeof(EmptyBody))]
[JsonSerializable(typeof(ReasonBody))]
[JsonSerializable(typeof(PersonView))]
[JsonSerializable(typeof(SessionListView))]
[JsonSerializable(typeof(SessionView))]
[JsonSerializable(typeof(GrantView))]
[JsonSerializable(typeof(GrantListView))]
[JsonSerializable(typeof(ReceiptListView))]
[JsonSerializable(typeof(ReceiptView))]
[JsonSerializable(typeof(EndedView))]
[JsonSerializable(typeof(KeyDraft))]
[JsonSerializable(typeof(EndDraft))]
internal sealed partial class AdminJson : JsonSerializerContext
{
    private static AdminJson? _plain;

    /// <summary>Letters and quotes as they are: this is never put into a page.</summary>
    public static AdminJson Plain => _plain ??=
        new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}

/// <summary>ISO 8601 with a zone; written in UTC.</summary>
internal sealed class InstantConverter : JsonConverter<DateTimeOffset>
{
    private const string Written = "yyyy-MM-dd'T'HH:mm:ss.FFF'Z'";
    private static readonly string[] Understood = ["yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mmK"];

    public static string Text(DateTimeOffset instant) => instant.UtcDateTime.ToString(Written, CultureInfo.InvariantCulture);

    /// <summary>False for anything else, also for a time without a zone: whose would it be?</summary>
    public static bool TryParse(string? text, out DateTimeOffset instant)
    {
        instant = default;
        return text is { Length: > 16 and < 40 } && (text[^1] == 'Z' || text[^6] is '+' or '-')
            && DateTimeOffset.TryParseExact(text, Understood, CultureInfo.InvariantCulture, DateTimeStyles.None, out instant);
    }

    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && TryParse(reader.GetString(), out var instant) ? instant : throw new JsonException();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(Text(value));
}

/// <summary>Lengths of time: <c>P90D</c>, <c>PT36H</c> (ISO 8601), or <c>90d</c>, <c>36h</c> as on the command line; written the first way.</summary>
internal sealed class DurationConverter : JsonConverter<TimeSpan>
{
    public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && KeyTimes.TryParseDuration(reader.GetString(), out var duration)
            ? duration
            : throw new JsonException();

    public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) =>
        writer.WriteStringValue(System.Xml.XmlConvert.ToString(value));
}
