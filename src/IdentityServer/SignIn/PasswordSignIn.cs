using IdentityServer.Protocol;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Storage.Users;
using IdentityServer.Telemetry;
using IdentityServer.Throttling;
using Microsoft.AspNetCore.Identity;

namespace IdentityServer.SignIn;

/// <summary>
/// Proves who somebody is by a password. An unknown name, a wrong password, a barred one and a disabled account cost the same time, are
/// counted alike and get the same answer.
/// </summary>
public sealed partial class PasswordSignIn(
    ICredentials credentials,
    IPasswordHasher<User> hasher,
    PasswordTurns turns,
    Throttle throttle,
    SignInFlow flow,
    ILogger<PasswordSignIn> logger)
{
    /// <summary>When somebody who was turned away for lack of room may come again.</summary>
    public const int BusySeconds = 5;

    // Checked when nobody has the name, so that the answer takes as long. Nobody knows its password.
    private readonly Lazy<string> _nobody = new(() => hasher.HashPassword(new User(), Handle.Create().Text));

    /// <summary>Checks the password and, when it is right, goes on with <see cref="SignInFlow.AdmitAsync"/>.</summary>
    /// <param name="userName">User name or e-mail address, as typed.</param>
    /// <param name="password">As typed.</param>
    /// <param name="keep">The person wants to stay signed in on this device.</param>
    /// <param name="http">The browser.</param>
    /// <param name="ct">Stops before anything is changed.</param>
    public async ValueTask<SignInOutcome> SignInAsync(
        string userName, string password, bool keep, HttpContext http, CancellationToken ct)
    {
        // 1 who it may be, and whether it may be tried now
        var found = await credentials.FindAsync(userName.Trim(), ct);
        var turn = await CheckAsync(found?.User, userName, password, http, ct);
        if (turn.Outcome is { } outcome)
        {
            return outcome;
        }

        // 2 nothing else against it
        var refusal = found!.User switch
        {
            { DisabledAt: not null } => "disabled",
            { PasswordBarredAt: not null } => "barred",
            _ => null,
        };
        if (refusal is not null)
        {
            return await RefuseAsync(found.User.Id, refusal, http, ct);
        }

        if (turn.BetterHash is not null)
        {
            await credentials.ReplaceHashAsync(found.User, turn.BetterHash, ct);
        }

        return await flow.AdmitAsync(found, [Amr.Password], keep, http, ct);
    }

    /// <summary>Proves again that somebody who is signed in knows the password, for what needs a fresh proof.</summary>
    /// <returns><see langword="null"/> when it is right.</returns>
    public async ValueTask<SignInOutcome?> VerifyAsync(User user, string password, HttpContext http, CancellationToken ct) =>
        (await CheckAsync(user, user.UserName!, password, http, ct)).Outcome;

    private async ValueTask<(SignInOutcome? Outcome, string? BetterHash)> CheckAsync(
        User? user, string typedName, string password, HttpContext http, CancellationToken ct)
    {
        // 1 counted before it is looked at
        var device = user is null ? null : await flow.FindDeviceAsync(user.Id, http, ct);
        var account = user?.Id ?? SignInLimits.Nobody(typedName);
        var attempt = await throttle.TakeAsync(
            device is null
                ? SignInLimits.PasswordOfStranger(account, http.Connection.RemoteIpAddress)
                : SignInLimits.PasswordOnDevice(device.Id),
            ct);
        if (attempt.BlockedUntil is { } until)
        {
            Metrics.SignIns.Add(1, new("result", "throttled"), new("method", "password"));
            await flow.RecordRefusalAsync(user?.Id, AuditTypes.SignInFailed, "throttled", "pwd", http, ct);
            return (new SignInOutcome.Throttled(until), null);
        }

        // 2 the password, whoever it is
        var nobody = _nobody.Value;
        PasswordVerificationResult verified;
        string? betterHash = null;
        using (var turn = await turns.WaitAsync(isKnown: device is not null, ct))
        {
            if (!turn.IsAcquired)
            {
                await attempt.TakeBackAsync(ct);
                Metrics.SignIns.Add(1, new("result", "busy"), new("method", "password"));
                LogBusy(logger);
                return (new SignInOutcome.Busy(), null);
            }

            verified = await Task.Run(() => hasher.VerifyHashedPassword(user ?? new User(), user?.PasswordHash ?? nobody, password), ct);
            if (verified == PasswordVerificationResult.SuccessRehashNeeded && user is not null)
            {
                betterHash = hasher.HashPassword(user, password);
            }
        }

        if (user?.PasswordHash is null || verified == PasswordVerificationResult.Failed)
        {
            return (await RefuseAsync(user?.Id, user is null ? "unknown" : "wrong_password", http, ct), null);
        }

        // 3 right: also what strangers tried is forgotten (NIST SP 800-63B-4 §3.2.2)
        await attempt.SucceedAsync(ct);
        await throttle.ForgetAsync([SignInLimits.PasswordOfAccount(user.Id)], ct);
        return (null, betterHash);
    }

    private async ValueTask<SignInOutcome> RefuseAsync(string? subject, string outcome, HttpContext http, CancellationToken ct)
    {
        Metrics.SignIns.Add(1, new("result", "refused"), new("method", "password"));
        await flow.RecordRefusalAsync(subject, AuditTypes.SignInFailed, outcome, "pwd", http, ct);
        return new SignInOutcome.Refused();
    }

    [LoggerMessage(3103, LogLevel.Warning, "A sign-in was turned away: as many passwords as allowed are being checked.")]
    private static partial void LogBusy(ILogger logger);
}
