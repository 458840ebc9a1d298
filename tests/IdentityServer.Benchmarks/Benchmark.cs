using IdentityServer.Benchmarks.Load;
using IdentityServer.Benchmarks.Results;
using IdentityServer.Benchmarks.Targets;

namespace IdentityServer.Benchmarks;

/// <summary>One whole run: starts every server, asks each question of all of them in turns, ends them.</summary>
internal sealed class Benchmark(BenchmarkOptions options, string root, TextWriter log) : IAsyncDisposable
{
    private const int WarmUpSeconds = 2;
    private readonly HttpClient _http = Http.NewClient();
    private readonly string _project = Path.Combine(root, "tests", "IdentityServer.Benchmarks");
    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("bench-");
    private readonly Stack<IAsyncDisposable> _running = new();

    public async Task<Report> RunAsync(CancellationToken ct)
    {
        var floor = await StartFloorAsync(ct);
        var peer = await Peer.StartAsync(_project, _http, ct);
        _running.Push(peer.Process);

        // The client's own code must be warm before it times a server's first answers.
        await Burst.P99Async(_http, floor.Uri, peer.Client, options.Connections, ct);
        await Burst.P99Async(_http, peer.Metadata.Token, peer.Client, options.Connections, ct);

        var starts = new List<Start>();
        var ours = new List<Target>();
        foreach (var provider in options.Providers)
        {
            var (start, target) = await StartProductAsync(provider, ct);
            starts.Add(start);
            ours.Add(target);
        }

        var rows = new List<Row>();
        foreach (var scenario in new Scenarios(_http, options, _work.FullName).All(ours, peer, floor))
        {
            if (options.Wants(scenario.Name))
            {
                rows.AddRange(await MeasureAsync(scenario, ct));
            }
        }

        for (var i = 0; i < ours.Count; i++)
        {
            starts[i] = await Starting.SettleAsync(starts[i], ours[i], options, ct);
        }

        var machine = await Machine.ReadAsync(Peer.Node(_project), options.Providers.Contains(Product.PostgreSql), ct);
        return new Report(machine, options, rows, options.Wants("start") ? starts : []);
    }

    public async ValueTask DisposeAsync()
    {
        while (_running.TryPop(out var one))
        {
            await one.DisposeAsync();
        }

        _http.Dispose();
        _work.Delete(recursive: true);
    }

    private async Task<(ServerProcess Process, Uri Uri)> StartFloorAsync(CancellationToken ct)
    {
        var port = ServerProcess.FreePort();
        var process = ServerProcess.Start(
            "dotnet", [typeof(Benchmark).Assembly.Location, "floor", $"{port}"], new Dictionary<string, string>());
        _running.Push(process);
        var uri = new Uri($"http://127.0.0.1:{port}/");
        await Readiness.WaitAsync(process, _http, uri, ct);
        return (process, uri);
    }

    private async Task<(Start Start, Target Target)> StartProductAsync(string provider, CancellationToken ct)
    {
        log.WriteLine($"setting up the server on {provider} …");
        var folder = _work.CreateSubdirectory(provider).FullName;
        var connectionString = $"Data Source={Path.Combine(folder, "identityserver.db")}";
        if (provider == Product.PostgreSql)
        {
            var postgres = await Postgres.StartAsync(ct);
            _running.Push(postgres);
            connectionString = postgres.ConnectionString;
        }

        var binary = Path.Combine(root, "src", "IdentityServer", "bin", "Release", "net10.0", "identityserver.dll");
        var product = await Product.SetUpAsync(binary, provider, connectionString, folder, ct);
        var (start, target) = await Starting.MeasureAsync(product, options, options.Wants("start"), ct);
        _running.Push(target.Process);
        return (start, target);
    }

    private async Task<IReadOnlyList<Row>> MeasureAsync(Scenario scenario, CancellationToken ct)
    {
        var wrk = new Wrk(_project, options);
        var results = scenario.Contestants.ToDictionary(x => x.Name, _ => new List<Measurement>());
        foreach (var contestant in scenario.Contestants)
        {
            await wrk.RunAsync(await contestant.PrepareAsync(ct), contestant.Process, WarmUpSeconds, ct);
        }

        for (var round = 1; round <= options.Rounds; round++)
        {
            foreach (var contestant in scenario.Contestants)
            {
                var job = await contestant.PrepareAsync(ct);
                var measured = await wrk.RunAsync(job, contestant.Process, options.Seconds, ct);
                results[contestant.Name].Add(measured);
                log.WriteLine(FormattableString.Invariant(
                    $"{scenario.Name} {round}/{options.Rounds} {contestant.Name,-10} {measured.PerSecond,7:F0}/s  p99 {measured.P99:F2} ms  CPU {measured.CpuMilliseconds:F3} ms  {measured.Failure}"));
            }
        }

        var peer = scenario.Peer is { } x ? results[x.Name] : null;
        var floor = scenario.Floor is { } y ? results[y.Name] : null;
        return scenario.Ours
            .Select(o => Row.Of(scenario.Name, o.Name, scenario.Goal(o.Name), results[o.Name], peer, floor))
            .ToArray();
    }
}
