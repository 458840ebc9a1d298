using System.Text.Json;
using Microsoft.AspNetCore.Mvc.ViewFeatures;

namespace IdentityServer.Admin;

/// <summary>
/// A form that ends something, on its way through a redirect: to be put right, or done once its sender has proved who they are. Travels in
/// an encrypted cookie.
/// </summary>
internal sealed record EndDraft
{
    private const string Name = "sessions.draft";
    private const int Longest = 256;

    public required EndTarget Target { get; init; }

    public string? Reason { get; init; }

    /// <summary>The box was ticked that says: everything.</summary>
    public bool IsSure { get; init; }

    /// <summary>Why it was not done; <see langword="null"/>: it waits for a proof.</summary>
    public string? Fault { get; init; }

    public void Save(ITempDataDictionary data) => data[Name] = JsonSerializer.Serialize(
        this with { Target = Target with { Value = Cut(Target.Value)! }, Reason = Cut(Reason) }, AdminJson.Default.EndDraft);

    /// <summary>The draft, once.</summary>
    public static EndDraft? Take(ITempDataDictionary data) =>
        data[Name] is string json ? JsonSerializer.Deserialize(json, AdminJson.Default.EndDraft) : null;

    /// <summary>The draft, once, when what it names is not there: the page of sessions says so, and leaves any other to its own page.</summary>
    public static EndDraft? TakeNotThere(ITempDataDictionary data)
    {
        if (data.Peek(Name) is not string json || JsonSerializer.Deserialize(json, AdminJson.Default.EndDraft) is not { IsNotThere: true } draft)
        {
            return null;
        }

        data.Remove(Name);
        return draft;
    }

    private bool IsNotThere => Fault is "unknown_person" or "unknown_client" or "in_the_future" or "invalid_time";

    private static string? Cut(string? text) => text is { Length: > Longest } ? text[..Longest] : text;
}
