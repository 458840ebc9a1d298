using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;

namespace IdentityServer.Admin;

/// <summary>Where a part of the list of sessions ended, as one word for an address.</summary>
internal static class SessionCursor
{
    public static string Write(DateTimeOffset at, string id) => WebEncoders.Base64UrlEncode(
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{at.ToUnixTimeMilliseconds()}:{id}")));

    public static bool TryRead(string cursor, out DateTimeOffset at, out string id)
    {
        (at, id) = (default, "");
        try
        {
            var parts = Encoding.ASCII.GetString(WebEncoders.Base64UrlDecode(cursor)).Split(':');
            if (parts.Length != 2 || !long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds))
            {
                return false;
            }

            (at, id) = (DateTimeOffset.FromUnixTimeMilliseconds(milliseconds), parts[1]);
            return true;
        }
        catch (Exception error) when (error is FormatException or ArgumentOutOfRangeException)
        {
            return false;
        }
    }
}
