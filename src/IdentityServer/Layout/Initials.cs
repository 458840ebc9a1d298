using System.Globalization;

namespace IdentityServer.Layout;

/// <summary>What stands in the circle beside a name that has no picture.</summary>
public static class Initials
{
    /// <summary>The first letters of the first and the last word; one letter for scripts that do not part words.</summary>
    public static string Of(string name)
    {
        var words = name.Split([' ', '-', '.', '_', '@'], StringSplitOptions.RemoveEmptyEntries);
        return words switch
        {
            [] => "·",
            [var only] => First(only),
            [var first, .., var last] => First(first) + First(last),
        };
    }

    private static string First(string word) => StringInfo.GetNextTextElement(word).ToUpperInvariant();
}
