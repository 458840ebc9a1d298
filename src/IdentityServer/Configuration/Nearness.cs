namespace IdentityServer.Configuration;

/// <summary>How far two words are apart, for “did you mean”.</summary>
internal static class Nearness
{
    public static bool IsNear(string known, string typed) => Distance(known, typed) <= Math.Max(2, known.Length / 3);

    /// <summary>The number of characters to add, drop or change (Levenshtein), whatever their case.</summary>
    public static int Distance(string left, string right)
    {
        left = left[..Math.Min(left.Length, 100)].ToUpperInvariant();
        right = right[..Math.Min(right.Length, 100)].ToUpperInvariant();
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var change = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(change, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[right.Length];
    }
}
