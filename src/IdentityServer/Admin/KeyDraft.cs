using System.Text.Json;
using Microsoft.AspNetCore.Mvc.ViewFeatures;

namespace IdentityServer.Admin;

/// <summary>
/// A form of the keys page on its way through a redirect: to be put right, or done once its sender has proved who they are. Travels in an
/// encrypted cookie.
/// </summary>
internal sealed record KeyDraft
{
    private const string Name = "keys.draft";
    private const int Longest = 200;

    /// <summary>One of <c>schedule move cancel undo activate plan compromise</c>.</summary>
    public string? Do { get; init; }

    public string? Alg { get; init; }

    /// <summary>As browsers send it: <c>2026-11-24T09:00</c>, in UTC.</summary>
    public string? From { get; init; }

    public string? Days { get; init; }

    public string? Cron { get; init; }

    public string? Zone { get; init; }

    public bool Force { get; init; }

    public string? Kid { get; init; }

    public string? Reason { get; init; }

    /// <summary>Why it was not done; <see langword="null"/>: it waits for a proof.</summary>
    public string? Fault { get; init; }

    public DateTimeOffset? Earliest { get; init; }

    public void Save(ITempDataDictionary data) => data[Name] = JsonSerializer.Serialize(
        this with { Alg = Cut(Alg), From = Cut(From), Days = Cut(Days), Cron = Cut(Cron), Zone = Cut(Zone), Kid = Cut(Kid), Reason = Cut(Reason) },
        AdminJson.Default.KeyDraft);

    /// <summary>The draft, once.</summary>
    public static KeyDraft? Take(ITempDataDictionary data) =>
        data[Name] is string json ? JsonSerializer.Deserialize(json, AdminJson.Default.KeyDraft) : null;

    private static string? Cut(string? text) => text is { Length: > Longest } ? text[..Longest] : text;
}
