using System.Globalization;
using System.Security.Cryptography;
using IdentityServer.Storage;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Quartz;

namespace IdentityServer.Jobs;

/// <summary>How patient the scheduler is; tests are less so.</summary>
internal sealed record JobTiming
{
    /// <summary>How long after the server listens. Infinite: never.</summary>
    public TimeSpan StartAfter { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often a node says that it is alive.</summary>
    public TimeSpan CheckIn { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How late it may be before the others take over what it was doing.</summary>
    public TimeSpan CheckInGrace { get; init; } = TimeSpan.FromSeconds(20);
}

/// <summary>
/// Runs Quartz on the server's own database. Not on the way to the first token: it starts when the server has been listening for a
/// while, and brings a container of its own, so that nothing of it is loaded before.
/// </summary>
internal sealed partial class JobScheduler(
    StorageOptions storage,
    JobWatch watch,
    IEnumerable<IServerJob> jobs,
    JobTiming timing,
    IHostApplicationLifetime lifetime,
    IServiceProvider services,
    ILoggerFactory loggers,
    ILogger<JobScheduler> logger) : BackgroundService
{
    private const string SchedulerName = "IdentityServer";
    private const int Threads = 2;
    private static readonly TimeSpan Look = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await StartedAsync(stoppingToken);
            await Task.Delay(timing.StartAfter, stoppingToken);
            while (true)
            {
                await TryRunAsync(stoppingToken);
                await Task.Delay(Look, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    private async Task StartedAsync(CancellationToken ct)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(ct);
    }

    private async Task TryRunAsync(CancellationToken ct)
    {
        try
        {
            await RunAsync(ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Stopping.
        }
#pragma warning disable CA1031 // the database was not there, perhaps: it is tried again
        catch (Exception error)
#pragma warning restore CA1031
        {
            LogNotRunning(logger, error);
        }
    }

    private async Task RunAsync(CancellationToken ct)
    {
        await using var factory = QuartzSchedulerBuilder.Create(Configure).Build();
        var scheduler = await factory.GetScheduler(ct);
        try
        {
            foreach (var job in jobs)
            {
                await ScheduleAsync(scheduler, job, ct);
            }

            await scheduler.Start(ct);
            LogRunning(logger, scheduler.SchedulerInstanceId);
            while (true)
            {
                await TryLookAsync(ct);
                await Task.Delay(Look, ct);
            }
        }
        finally
        {
            await scheduler.Shutdown(waitForJobsToComplete: true, CancellationToken.None);
        }
    }

    private void Configure(IQuartzBuilder quartz)
    {
        var runner = ActivatorUtilities.CreateInstance<JobRunner>(services);
        quartz.Services.AddSingleton(loggers);
        quartz
            .ConfigureScheduler(scheduler =>
            {
                scheduler.InstanceName = SchedulerName;
                scheduler.InstanceId = string.Create(
                    CultureInfo.InvariantCulture, $"{Environment.MachineName}-{RandomNumberGenerator.GetHexString(6, lowercase: true)}");
                scheduler.ShutdownJobInterruption = ShutdownJobInterruption.Always;
                scheduler.PropagateTraceContext = false;
            })

            // Real time, also under a test's clock: this is about how soon, never about what holds when.
            .UseTimeProvider(TimeProvider.System)
            .UseDefaultThreadPool(Threads)
            .AddJobType(_ => runner)
            .UsePersistentStore(ConfigureStore);
    }

    private void ConfigureStore(IPersistentStoreBuilder store)
    {
        var (driver, connectionString) = StorageServices.Driver(storage);
        store.ConfigureStore(options =>
        {
            options.SchemaProvisioning = SchemaProvisioning.None; // migrations make the tables
            options.StoreJobDataAsStrings = true;
            options.UseBackgroundThreads = true; // or a lost database would keep the process from ending
        });
        store.UseSystemTextJsonSerializer();
        switch (storage.Provider)
        {
            case DatabaseProvider.Sqlite:
                store.UseSqlite(driver, connectionString);
                return;
            case DatabaseProvider.PostgreSql:
                store.UsePostgres(driver, connectionString);
                break;
            default:
                store.UseSqlServer(driver, connectionString);
                break;
        }

        store.UseClustering(cluster =>
        {
            cluster.CheckinInterval = timing.CheckIn;
            cluster.CheckinMisfireThreshold = timing.CheckInGrace;
        });
    }

    // Every node does this at every start. What is there as it should be is left alone: its next firing stands in it.
    private static async Task ScheduleAsync(IScheduler scheduler, IServerJob job, CancellationToken ct)
    {
        var detail = JobBuilder.Create<JobRunner>().WithIdentity(job.Name).StoreDurably().Build();
        await scheduler.AddJob(detail, new AddJobOptions { Replace = true }, ct);

        var schedule = string.Create(CultureInfo.InvariantCulture, $"every {job.Every:c}");
        var trigger = TriggerBuilder.Create(TimeProvider.System)
            .WithIdentity(job.Name)
            .WithDescription(schedule)
            .ForJob(detail)
            .StartNow()
            .WithSchedule(SimpleScheduleBuilder.Create()
                .WithInterval(job.Every)
                .RepeatForever()
                .WithMisfireInstruction(SimpleTriggerMisfireInstruction.NextWithRemainingCount))
            .Build();
        if (await scheduler.GetTrigger(trigger.Key, ct) is not { } existing || existing.Description != schedule)
        {
            await scheduler.ScheduleTrigger(trigger, TriggerConflict.Replace, ct);
        }
        else
        {
            await scheduler.ResetTriggerFromErrorState(trigger.Key, ct);
        }
    }

    private async Task TryLookAsync(CancellationToken ct)
    {
        try
        {
            await watch.LookAsync(ct);
        }
#pragma warning disable CA1031 // then what is known gets old, and says so
        catch (Exception error) when (!ct.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogBlind(logger, error);
        }
    }

    [LoggerMessage(1303, LogLevel.Information, "Jobs run here as node {Node}.")]
    private static partial void LogRunning(ILogger logger, string node);

    [LoggerMessage(1304, LogLevel.Error, "No jobs run on this node; it tries again in a minute.")]
    private static partial void LogNotRunning(ILogger logger, Exception error);

    [LoggerMessage(1305, LogLevel.Warning, "The history of jobs could not be read.")]
    private static partial void LogBlind(ILogger logger, Exception error);
}

/// <summary>Registers the jobs and what runs them.</summary>
internal static class JobServices
{
    public static IServiceCollection AddJobs(this IServiceCollection services)
    {
        services.AddSingleton<IServerJob, KeyRolloverJob>();
        services.AddSingleton<IServerJob, CleanupJob>();
        services.AddSingleton<IServerJob, ResealJob>();
        services.AddSingleton<IServerJob, MasterKeyTermJob>();
        services.TryAddSingleton(new JobTiming());
        services.AddSingleton<JobWatch>();
        services.AddHostedService<JobScheduler>();
        return services;
    }
}
