using IdentityServer.Benchmarks.Load;
using IdentityServer.Benchmarks.Results;
using IdentityServer.Benchmarks.Targets;
using IdentityServer.Testing;

namespace IdentityServer.Benchmarks;

/// <summary>One whole run: starts every server, asks each question of all of them in turns, ends them.</summary>
internal sealed class Benchmark(BenchmarkOptions options, string root, TextWriter log) : IAsyncDisposable
{
    private const int WarmUpSeconds = 4;
    private readonly HttpClient _http = Browser.CreateClient();
    private readonly string _project = Path.Combine(root, "tests", "IdentityServer.Benchmarks");
    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("bench-");
    private readonly Stack<IAsyncDisposable> _running = new();

    public async Task<Report> RunAsync(CancellationToken ct)
    {
        var loadBefore = Machine.LoadNow();
        var floor = await StartFloorAsync(ct);
        var peer = await Peer.StartAsync(_project, _http, ct);
        _running.Push(peer.Process);

        // The client's own code must be warm before it times a server's first answers.
        for (var time = 0; time < 3; time++)
        {
            await Burst.P99Async(peer.Client, options.Connections, ct);
        }

        var ours = new List<(Start? Start, Target Target)>();
        foreach (var provider in options.Providers)
        {
            ours.Add(await StartProductAsync(provider, ct));
        }

        var rows = new List<Row>();
        foreach (var scenario in new Scenarios(options, _work.FullName).All([.. ours.Select(x => x.Target)], peer, floor))
        {
            if (options.Wants(scenario.Name))
            {
                rows.AddRange(await MeasureAsync(scenario, ct));
            }
        }

        var starts = new List<Start>();
        foreach (var (start, target) in ours)
        {
            if (start is not null)
            {
                starts.Add(await Starting.SettleAsync(start, target, options, ct));
            }
        }

        var machine = await Machine.ReadAsync(Peer.Node(_project), options.Providers.Contains(Product.PostgreSql), loadBefore, ct);
        return new Report(machine, options, rows, starts);
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

    private async Task<(MeasuredProcess Process, Uri Uri)> StartFloorAsync(CancellationToken ct)
    {
        var port = $"{ServerFolder.FreePort()}";
        var process = MeasuredProcess.Start("dotnet", [typeof(Benchmark).Assembly.Location, "floor", port], []);
        _running.Push(process);
        var uri = new Uri($"http://127.0.0.1:{port}/");
        await Readiness.WaitAsync(process, _http, uri, ct);
        return (process, uri);
    }

    private async Task<(Start? Start, Target Target)> StartProductAsync(string provider, CancellationToken ct)
    {
        log.WriteLine($"setting up the server on {provider} …");
        PostgresServer? postgres = null;
        if (provider == Product.PostgreSql)
        {
            postgres = await PostgresServer.StartAsync(durable: true, ct);
            _running.Push(postgres);
        }

        var product = await Product.SetUpAsync(postgres, ct);
        _running.Push(product);
        var (start, process) = options.Wants("start") ? await Starting.MeasureAsync(product, options, ct) : (null, product.Start());
        _running.Push(process);
        await Starting.FirstTokenAsync(process, product.EarlyClient(_http), ct);
        return (start, await product.AttachAsync(process, _http, ct));
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
