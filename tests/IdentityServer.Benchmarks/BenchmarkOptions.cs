using System.Globalization;
using IdentityServer.Benchmarks.Targets;

namespace IdentityServer.Benchmarks;

/// <summary>What to measure and for how long.</summary>
internal sealed record BenchmarkOptions
{
    public const string Usage =
        """
        dotnet run -c Release --project tests/IdentityServer.Benchmarks -- [options]

          --provider Sqlite|PostgreSql|both   databases under the server (both)
          --only NAME[,NAME]                  scenarios: start client_credentials introspection refresh code code_rs256 jwks discovery;
                                              jwt measures how a token is best written, without any server;
                                              sign-in measures what signing in costs, in this process;
                                              ending measures what ending 100 000 refresh tokens costs, in this process;
                                              propagation measures how soon three nodes refuse what was ended
          --seconds N                         length of one measurement (4)
          --rounds N                          measurements of each, taken in turns; the median counts (3)
          --connections N                     open connections of the load generator (32)
          --no-server                         only the yardsticks
          --json FILE                         write the figures
        """;

    private static readonly string[] Databases = [Product.Sqlite, Product.PostgreSql];

    public IReadOnlyList<string> Providers { get; private init; } = Databases;

    public IReadOnlyList<string> Only { get; private init; } = [];

    public int Seconds { get; private init; } = 4;

    public int Rounds { get; private init; } = 3;

    public int Connections { get; private init; } = 32;

    public string? Json { get; private init; }

    /// <summary>The load generator's threads.</summary>
    public int Threads => Math.Min(2, Connections);

    public bool Wants(string scenario) => Only.Count == 0 || Only.Contains(scenario, StringComparer.Ordinal);

    /// <summary>Reads the command line, or says what is wrong with it.</summary>
    public static BenchmarkOptions? Parse(ReadOnlySpan<string> args, out string? problem)
    {
        var options = new BenchmarkOptions();
        problem = null;
        while (args.Length > 0)
        {
            var name = args[0];
            if (name == "--no-server")
            {
                options = options with { Providers = [] };
                args = args[1..];
                continue;
            }

            if (args.Length < 2 || options.With(name, args[1]) is not { } next)
            {
                problem = $"Not understood: {string.Join(' ', args)}";
                return null;
            }

            options = next;
            args = args[2..];
        }

        return options;
    }

    private BenchmarkOptions? With(string name, string value) => name switch
    {
        "--provider" when value == "both" => this with { Providers = Databases },
        "--provider" when Databases.Contains(value, StringComparer.Ordinal) => this with { Providers = [value] },
        "--only" => this with { Only = value.Split(',') },
        "--seconds" when Positive(value, out var seconds) => this with { Seconds = seconds },
        "--rounds" when Positive(value, out var rounds) => this with { Rounds = rounds },
        "--connections" when Positive(value, out var connections) => this with { Connections = connections },
        "--json" => this with { Json = value },
        _ => null,
    };

    private static bool Positive(string value, out int number) =>
        int.TryParse(value, CultureInfo.InvariantCulture, out number) && number > 0;
}
