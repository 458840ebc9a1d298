using IdentityServer.Keys;

namespace IdentityServer.Jobs;

/// <summary>Seals anew what a previous master key sealed.</summary>
internal sealed class ResealJob(Resealing resealing) : IServerJob
{
    public string Name => "reseal";

    public TimeSpan Every => TimeSpan.FromMinutes(10);

    public async ValueTask<string?> RunAsync(CancellationToken ct)
    {
        var done = await resealing.RunAsync("system", ct);
        return done is { SigningKeys: 0, DataProtectionKeys: 0 }
            ? null
            : $"signing keys {done.SigningKeys}, Data Protection keys {done.DataProtectionKeys}";
    }
}
