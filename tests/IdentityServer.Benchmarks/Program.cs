using System.Globalization;
using IdentityServer.Benchmarks;
using IdentityServer.Benchmarks.Cluster;
using IdentityServer.Benchmarks.Micro;
using IdentityServer.Benchmarks.Targets;
using IdentityServer.Testing;

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};

if (args is ["floor", var port])
{
    await Floor.RunAsync(int.Parse(port, CultureInfo.InvariantCulture), stop.Token);
    return 0;
}

if (BenchmarkOptions.Parse(args, out var problem) is not { } options)
{
    Console.Error.WriteLine(problem);
    Console.Error.WriteLine(BenchmarkOptions.Usage);
    return 2;
}

if (options.Only is ["jwt"])
{
    JwtSigning.Run(Console.Out);
    return 0;
}

try
{
    if (options.Only is ["sign-in"])
    {
        await SignInCost.RunAsync(Console.Out, stop.Token);
        return 0;
    }

    if (options.Only is ["ending"])
    {
        await EndingCost.RunAsync(options, Console.Out, stop.Token);
        return 0;
    }

    if (options.Only is ["propagation"])
    {
        await Propagation.RunAsync(Console.Out, stop.Token);
        return 0;
    }

    await using var benchmark = new Benchmark(options, Repository.Root, Console.Out);
    var report = await benchmark.RunAsync(stop.Token);
    report.Print(Console.Out);
    if (options.Json is { } file)
    {
        await report.SaveAsync(file, stop.Token);
    }

    return report.Broken ? 1 : 0;
}
catch (Exception failure) when (failure is InvalidOperationException or CheckFailedException or HttpRequestException or OperationCanceledException)
{
    // Left unhandled it would end us before the servers that we started.
    Console.Error.WriteLine(failure.Message);
    return 1;
}
