namespace IdentityServer.Benchmarks.Results;

/// <summary>What a freshly started server costs before it has settled.</summary>
internal sealed record Start
{
    /// <summary>From the start of the process to its first client_credentials answer.</summary>
    public const double MostMilliseconds = 1000;

    public const double MostIdleMebibytes = 150;

    public const double MostTimesSettled = 10;

    public required string Database { get; init; }

    public required double FirstTokenMilliseconds { get; init; }

    public required double IdleMebibytes { get; init; }

    /// <summary>99th percentile of the first thousand requests, in milliseconds.</summary>
    public required double FirstP99 { get; init; }

    /// <summary>The same of a thousand requests of a server that has been under load.</summary>
    public double? SettledP99 { get; init; }

    /// <summary>Resident after every scenario has run.</summary>
    public double? LoadedMebibytes { get; init; }
}
