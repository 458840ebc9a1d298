namespace IdentityServer.Configuration;

/// <summary>One thing that is wrong with the settings.</summary>
/// <param name="Key">The setting, e.g. <c>IdentityServer:Database:Provider</c>.</param>
/// <param name="Fault">The rest of the sentence, and what is allowed instead. Never repeats a secret.</param>
public sealed record SettingProblem(string Key, string Fault)
{
    /// <summary>The same setting as an environment variable.</summary>
    public string Variable => Key.Contains(':', StringComparison.Ordinal)
        ? Key.Replace(":", "__", StringComparison.Ordinal)
        : "ASPNETCORE_" + Key.ToUpperInvariant();

    public override string ToString() => $"{Key} (environment: {Variable}) {Fault}";
}

/// <summary>The settings are not right: nothing starts. The message is for the person who wrote them.</summary>
public sealed class SettingsException(IReadOnlyList<SettingProblem> problems) : Exception(
    $"""
    The settings are not right, so nothing was started:

    {string.Join(Environment.NewLine, problems.Select(problem => "  - " + problem))}

    docs/settings.md lists every setting.
    """)
{
    public IReadOnlyList<SettingProblem> Problems { get; } = problems;
}
