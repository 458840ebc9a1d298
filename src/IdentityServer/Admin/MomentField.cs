using System.Globalization;

namespace IdentityServer.Admin;

/// <summary>A field for a day and a time (<c>datetime-local</c>), in UTC.</summary>
internal static class MomentField
{
    /// <summary>As the field wants it.</summary>
    public static string Write(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm", CultureInfo.InvariantCulture);

    // Browsers may add seconds.
    public static bool TryRead(string? text, out DateTimeOffset at) => DateTimeOffset.TryParseExact(
        text,
        ["yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH:mm:ss"],
        CultureInfo.InvariantCulture,
        DateTimeStyles.AssumeUniversal,
        out at);
}
