using System.Globalization;
using System.Text.RegularExpressions;

namespace IdentityServer.Admin;

/// <summary>Lengths of time as operators write them.</summary>
internal static partial class KeyTimes
{
    /// <summary>Days, hours, minutes and seconds; no months and years, whose length nobody knows.</summary>
    public static bool TryParseDuration(string? text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        if (text is null or { Length: > 40 })
        {
            return false;
        }

        var match = Iso().Match(text) is { Success: true } iso ? iso : Short().Match(text);
        if (!match.Success || match.Groups.Values.Skip(1).All(group => !group.Success))
        {
            return false;
        }

        duration = new TimeSpan(Count("d"), Count("h"), Count("m"), Count("s"));
        return true;

        int Count(string unit) => match.Groups[unit] is { Success: true } group ? int.Parse(group.Value, CultureInfo.InvariantCulture) : 0;
    }

    [GeneratedRegex(@"^P((?<d>[0-9]{1,5})D)?(T(?=[0-9])((?<h>[0-9]{1,6})H)?((?<m>[0-9]{1,8})M)?((?<s>[0-9]{1,9})S)?)?\z", RegexOptions.ExplicitCapture, 100)]
    private static partial Regex Iso();

    [GeneratedRegex(@"^((?<d>[0-9]{1,5})d|(?<h>[0-9]{1,6})h|(?<m>[0-9]{1,8})m|(?<s>[0-9]{1,9})s)\z", RegexOptions.ExplicitCapture, 100)]
    private static partial Regex Short();
}
