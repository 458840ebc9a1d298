using IdentityServer.Jobs;
using IdentityServer.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace IdentityServer.ProtocolTests.Jobs;

/// <summary>A node that does nothing but its jobs, and is quick about it.</summary>
internal sealed class JobNode : IAsyncDisposable
{
    private readonly IHost _host;

    public JobNode(StorageOptions storage, params IServerJob[] jobs)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddIdentityServerStorage(storage);
        foreach (var job in jobs)
        {
            builder.Services.AddSingleton(job);
        }

        builder.Services.AddSingleton(new JobTiming
        {
            StartAfter = TimeSpan.Zero,
            CheckIn = TimeSpan.FromSeconds(1),
            CheckInGrace = TimeSpan.FromSeconds(2),
        });
        builder.Services.AddSingleton<JobWatch>();
        builder.Services.AddHostedService<JobScheduler>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));
        _host = builder.Build();
    }

    public T Get<T>()
        where T : notnull => _host.Services.GetRequiredService<T>();

    public Task StartAsync(CancellationToken ct) => _host.StartAsync(ct);

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _host.StopAsync();
        }
        catch (OperationCanceledException)
        {
            // Its database was taken away.
        }

        _host.Dispose();
    }
}

/// <summary>A job of a test.</summary>
internal sealed class TestJob(string name, TimeSpan every, Func<TestJob, CancellationToken, Task<string?>> run) : IServerJob
{
    private int _runs;

    public int Runs => Volatile.Read(ref _runs);

    public string Name => name;

    public TimeSpan Every => every;

    public async ValueTask<string?> RunAsync(CancellationToken ct)
    {
        Interlocked.Increment(ref _runs);
        return await run(this, ct);
    }

    /// <summary>Waits until it ran so often.</summary>
    public async Task RanAsync(int times, CancellationToken ct)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while (Runs < times)
        {
            await Task.Delay(20, patience.Token);
        }
    }
}
