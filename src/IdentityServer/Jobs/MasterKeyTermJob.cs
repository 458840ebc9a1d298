using IdentityServer.Keys;

namespace IdentityServer.Jobs;

/// <summary>Warns of the end of the master key's certificate also where no server is started for a long time.</summary>
internal sealed class MasterKeyTermJob(MasterKeyLoader masterKey) : IServerJob
{
    public string Name => "master-key-term";

    public TimeSpan Every => TimeSpan.FromDays(1);

    public ValueTask<string?> RunAsync(CancellationToken ct) => ValueTask.FromResult(masterKey.WarnOfEnd());
}
