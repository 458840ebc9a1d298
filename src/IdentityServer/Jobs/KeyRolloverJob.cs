using IdentityServer.Protocol.Keys;

namespace IdentityServer.Jobs;

/// <summary>Announces, releases and erases signing keys when the time has come.</summary>
internal sealed class KeyRolloverJob(KeyRollover rollover) : IServerJob
{
    public string Name => "key-rollover";

    public TimeSpan Every => TimeSpan.FromMinutes(1);

    public async ValueTask<string?> RunAsync(CancellationToken ct)
    {
        var done = await rollover.RunAsync(ct);
        return done.Count == 0 ? null : string.Join("; ", done);
    }
}
