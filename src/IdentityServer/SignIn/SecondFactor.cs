using IdentityServer.Mail;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Storage.Factors;
using IdentityServer.Storage.SignIns;
using IdentityServer.Storage.Users;
using IdentityServer.Telemetry;
using IdentityServer.Throttling;

namespace IdentityServer.SignIn;

/// <summary>Checks the codes of a sign-in under way: those of authenticator apps, and recovery codes. Each has a count of its own.</summary>
public sealed class SecondFactor(
    AuthenticatorApps apps,
    RecoveryCodes recovery,
    IRecoveryCodes codes,
    ICredentials credentials,
    Notices notices,
    PasswordTurns turns,
    Throttle throttle,
    SignInFlow flow,
    TimeProvider clock)
{
    /// <summary>A code of an authenticator app.</summary>
    public async ValueTask<SignInOutcome> SignInWithAppAsync(
        PartialSignIn partial, string? code, bool remember, HttpContext http, CancellationToken ct)
    {
        var attempt = await TakeAsync("otp", partial, http, ct);
        if (attempt.BlockedUntil is { } until)
        {
            return await ThrottleAsync("otp", partial, until, http, ct);
        }

        if (!await apps.AcceptAsync(partial.Subject, code, ct))
        {
            return await RefuseAsync("otp", partial, http, ct);
        }

        return await AcceptAsync("otp", attempt, partial, remember, http, ct);
    }

    /// <summary>A recovery code. It is used up also when the sign-in is not finished for another reason.</summary>
    public async ValueTask<SignInOutcome> SignInWithRecoveryCodeAsync(
        PartialSignIn partial, string? code, HttpContext http, CancellationToken ct)
    {
        var attempt = await TakeAsync("recovery", partial, http, ct);
        if (attempt.BlockedUntil is { } until)
        {
            return await ThrottleAsync("recovery", partial, until, http, ct);
        }

        string? hash;
        using (var turn = await turns.WaitAsync(isKnown: false, ct))
        {
            if (!turn.IsAcquired)
            {
                await attempt.TakeBackAsync(ct);
                return new SignInOutcome.Busy();
            }

            hash = await recovery.HashOfTypedAsync(partial.Subject, code, ct);
        }

        var now = clock.GetUtcNow();
        var used = new AuditEvent(AuditTypes.RecoveryCodeUsed, now)
        {
            Actor = "user:" + partial.Subject,
            Subject = partial.Subject,
            Address = http.Connection.RemoteIpAddress?.ToString(),
        };
        var left = (await codes.ListAsync(partial.Subject, ct)).Count(each => each.UsedAt is null) - 1;
        var mail = await credentials.FindBySubjectAsync(partial.Subject, ct) is { } who
            ? notices.Compose(MailKind.RecoveryCodeUsed, who.User, http, new MailValues { Left = Math.Max(left, 0) })
            : null;
        if (hash is null || !await codes.UseAsync(partial.Subject, hash, now, used, mail, ct))
        {
            return await RefuseAsync("recovery", partial, http, ct);
        }

        notices.Ring();
        return await AcceptAsync("recovery", attempt, partial, remember: false, http, ct);
    }

    private async ValueTask<ThrottleTurn> TakeAsync(string factor, PartialSignIn partial, HttpContext http, CancellationToken ct) =>
        await throttle.TakeAsync(
            SignInLimits.Factor(factor, partial.Subject, (await flow.FindDeviceAsync(partial.Subject, http, ct))?.Id), ct);

    private async ValueTask<SignInOutcome> AcceptAsync(
        string factor, ThrottleTurn attempt, PartialSignIn partial, bool remember, HttpContext http, CancellationToken ct)
    {
        await attempt.SucceedAsync(ct);
        Metrics.Factors.Add(1, new("type", factor), new("result", "ok"));
        return await flow.CompleteAsync(partial, [Amr.OneTimeCode], remember, http, ct);
    }

    private async ValueTask<SignInOutcome> RefuseAsync(string factor, PartialSignIn partial, HttpContext http, CancellationToken ct)
    {
        Metrics.Factors.Add(1, new("type", factor), new("result", "refused"));
        await flow.RecordRefusalAsync(partial.Subject, AuditTypes.FactorFailed, "wrong_code", factor, http, ct);
        return new SignInOutcome.Refused();
    }

    private async ValueTask<SignInOutcome> ThrottleAsync(
        string factor, PartialSignIn partial, DateTimeOffset until, HttpContext http, CancellationToken ct)
    {
        Metrics.Factors.Add(1, new("type", factor), new("result", "throttled"));
        await flow.RecordRefusalAsync(partial.Subject, AuditTypes.FactorFailed, "throttled", factor, http, ct);
        return new SignInOutcome.Throttled(until);
    }
}
