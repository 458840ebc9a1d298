using IdentityServer.Storage.Devices;
using IdentityServer.Storage.Throttling;

namespace IdentityServer.SignIn;

/// <summary>Forgets what was counted against a person, from wherever.</summary>
public sealed class Unlocking(IAttempts attempts, IDevices devices, TimeProvider clock)
{
    /// <summary>What was counted against the password alone: a mail does not stand in for a second factor.</summary>
    public async ValueTask ForgetPasswordAsync(string subject, CancellationToken ct) =>
        await ForgetAsync(SignInLimits.PasswordCountsOf(subject, await DevicesAsync(subject, ct)), ct);

    /// <summary>All of it.</summary>
    public async ValueTask ForgetAllAsync(string subject, CancellationToken ct)
    {
        var known = await DevicesAsync(subject, ct);
        await ForgetAsync([.. SignInLimits.PasswordCountsOf(subject, known), .. SignInLimits.FactorCountsOf(subject, known)], ct);
    }

    private ValueTask<IReadOnlyList<Device>> DevicesAsync(string subject, CancellationToken ct) =>
        devices.ListAsync(subject, clock.GetUtcNow(), ct);

    private async ValueTask ForgetAsync(IEnumerable<string> prefixes, CancellationToken ct)
    {
        foreach (var prefix in prefixes)
        {
            await attempts.ForgetBelowAsync(prefix, ct);
        }
    }
}
