using System.Globalization;
using IdentityServer.Protocol.Keys;
using IdentityServer.Resources;
using Microsoft.Extensions.Localization;

namespace IdentityServer.Admin;

/// <summary>Times, lengths and states in the reader's language.</summary>
internal sealed class KeyWords(IStringLocalizer<Texts> texts)
{
    private const int ShortKid = 9;

    public string Planned => texts["Keys_NextKey"];

    /// <summary>Enough of a kid to tell it from its neighbours; it stands in full in the table.</summary>
    public static string Short(string kid) => kid.Length <= ShortKid ? kid : kid[..ShortKid];

    public string Moment(DateTimeOffset at) => texts["Keys_Moment", at.UtcDateTime];

    public string Moment(DateTimeOffset? at) => at is { } known ? Moment(known) : "–";

    public string Day(DateTimeOffset at) => texts["Keys_Day", at.UtcDateTime];

    public string Tick(DateTimeOffset at, DrawnSpan span) => span switch
    {
        DrawnSpan.TenDays => texts["Keys_TickDay", at.UtcDateTime],
        DrawnSpan.ThreeMonths => texts["Keys_TickWeek", at.UtcDateTime],
        _ => texts["Keys_TickMonth", at.UtcDateTime],
    };

    public static string Clock(DateTimeOffset at) => at.UtcDateTime.ToString("HH:mm", CultureInfo.InvariantCulture);

    public static string Number(long count) => count.ToString("#,0", CultureInfo.CurrentCulture);

    /// <summary>The two largest units of a length of time.</summary>
    public string Length(TimeSpan span)
    {
        span = span.Duration();
        return span.TotalDays >= 1
            ? Join(texts["Keys_Days", (int)span.TotalDays], span is { TotalDays: < 10, Hours: > 0 } ? texts["Keys_Hours", span.Hours].Value : null)
            : span.TotalHours >= 1
                ? Join(texts["Keys_Hours", span.Hours], span.Minutes > 0 ? texts["Keys_Minutes", span.Minutes].Value : null)
                : texts["Keys_Minutes", Math.Max(1, (int)Math.Ceiling(span.TotalMinutes))];
    }

    public string In(DateTimeOffset at, DateTimeOffset now) => texts["Keys_In", Length(at - now)];

    public string Algorithm(string name) => texts[
        name switch { "ES256" => "Keys_ForAccess", "RS256" => "Keys_ForIds", _ => "Keys_ForAsked" },
        name];

    public string State(KeyState state) => state switch
    {
        KeyState.Announced => texts["Keys_Announced"],
        KeyState.Active => texts["Keys_Active"],
        KeyState.Retiring => texts["Keys_Retiring"],
        _ => texts["Keys_Retired"],
    };

    public string Rollover(DateTimeOffset at, DateTimeOffset now) => texts["Keys_RolloverAt", Moment(at), In(at, now)];

    /// <summary>What a key is for a while, for beside its bar.</summary>
    public string Window(KeyWindow window, KeyEntry? entry, DateTimeOffset now) => window.State switch
    {
        KeyState.Announced when entry?.IsHeld == true => texts["Keys_WaitsShort"],
        KeyState.Announced => texts["Keys_AnnouncedShort"],
        KeyState.Active when window.From > now => texts["Keys_ActiveFrom", Near(window.From, now)],
        KeyState.Active => texts["Keys_ActiveSince", Near(window.From, now)],
        KeyState.Retiring => texts["Keys_RetiringShort"],
        _ when entry?.Key.RevokedAt is not null => texts["Keys_TakenBackShort"],
        _ => texts["Keys_RetiredShort"],
    };

    // Within half a year everybody knows which one is meant.
    private string Near(DateTimeOffset at, DateTimeOffset now) =>
        (at - now).Duration() < TimeSpan.FromDays(180) ? texts["Keys_TickWeek", at.UtcDateTime] : Day(at);

    private static string Join(string first, string? second) => second is null ? first : $"{first} {second}";
}
