namespace IdentityServer.Doctor;

/// <summary>What one check found.</summary>
/// <param name="Check">Its name; scripts rely on it (docs/command-line.md, "doctor").</param>
/// <param name="Result">How it ended.</param>
/// <param name="Detail">What was seen, in one line.</param>
/// <param name="Mend">What to do about it; <see langword="null"/> when there is nothing to do.</param>
internal sealed record Finding(string Check, FindingResult Result, string Detail, string? Mend)
{
    public static Finding Ok(string check, string detail) => new(check, FindingResult.Ok, detail, null);

    public static Finding Warn(string check, string detail, string mend) => new(check, FindingResult.Warn, detail, mend);

    public static Finding Fail(string check, string detail, string mend) => new(check, FindingResult.Fail, detail, mend);

    /// <summary>Another check has to be right first.</summary>
    public static Finding NotLookedAt(string check, string because) =>
        Warn(check, $"Not looked at, because of the check {because}.", $"Mend what the check {because} says, and ask again.");
}

/// <summary>How a check ended.</summary>
internal enum FindingResult
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>The server runs with it; somebody should look.</summary>
    Warn,

    /// <summary>The server does not start, or does not do what it promises.</summary>
    Fail,
}
