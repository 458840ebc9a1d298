using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Sessions;
using IdentityServer.SignIn;
using IdentityServer.Storage.Mail;
using IdentityServer.Storage.SignIns;
using IdentityServer.Storage.Users;
using IdentityServer.Telemetry;
using IdentityServer.Throttling;
using Microsoft.AspNetCore.Mvc;

namespace IdentityServer.Passkeys;

/// <summary>
/// Lets people in by a passkey: alone, as the further factor of a sign-in under way, or by making one where none is. Scoped, as
/// <see cref="PasskeyCeremonies"/> is.
/// </summary>
public sealed class PasskeySignIn(
    PasskeyCeremonies ceremonies,
    PasskeyDomain domain,
    PasskeyTraffic traffic,
    BrowserCookie browser,
    ICredentials credentials,
    Throttle throttle,
    SignInFlow flow)
{
    /// <summary>People may use passkeys here.</summary>
    public bool IsOn => domain.IsOn;

    /// <summary>Whoever is there.</summary>
    public async ValueTask<ActionResult> BeginAsync(HttpContext http, CancellationToken ct) =>
        Refusal(http) ?? CeremonyAnswer.Of(await ceremonies.BeginSignInAsync(browser.Ensure(http), http, ct));

    /// <summary>The further factor of somebody in the middle of a sign-in.</summary>
    public async ValueTask<ActionResult> BeginFactorAsync(PartialSignIn partial, HttpContext http, CancellationToken ct) =>
        Refusal(http) ?? CeremonyAnswer.Of(await ceremonies.BeginFactorAsync(partial.Subject, browser.Ensure(http), http, ct));

    /// <summary>A new passkey. The caller made sure that the person may add one.</summary>
    public async ValueTask<ActionResult> BeginRegistrationAsync(string subject, HttpContext http, CancellationToken ct) =>
        Refusal(http) ?? CeremonyAnswer.Of(await ceremonies.BeginRegistrationAsync(subject, browser.Ensure(http), http, ct));

    /// <summary>Signs in whose passkey it is.</summary>
    public async ValueTask<SignInOutcome> SignInAsync(
        string? ceremony, string? credential, bool keep, HttpContext http, CancellationToken ct)
    {
        // 1 whether it may be tried now
        var attempt = await throttle.TakeAsync(SignInLimits.PasskeyOfAnybody(http.Connection.RemoteIpAddress), ct);
        if (attempt.BlockedUntil is { } until)
        {
            Metrics.SignIns.Add(1, new("result", "throttled"), new("method", "passkey"));
            await flow.RecordRefusalAsync(null, AuditTypes.SignInFailed, "throttled", "passkey", http, ct);
            return new SignInOutcome.Throttled(until);
        }

        // 2 the passkey; a refusal is recorded with its reason there
        var proof = await ceremonies.FinishSignInAsync(Posted(ceremony, credential, http), ct);
        if (proof is not PasskeyProof.Given given)
        {
            Metrics.SignIns.Add(1, new("result", "refused"), new("method", "passkey"));
            return new SignInOutcome.Refused();
        }

        // 3 whether the person may sign in
        await attempt.SucceedAsync(ct);
        if (await credentials.FindBySubjectAsync(given.Subject, ct) is not { User.DisabledAt: null } who)
        {
            Metrics.SignIns.Add(1, new("result", "refused"), new("method", "passkey"));
            await flow.RecordRefusalAsync(given.Subject, AuditTypes.SignInFailed, "disabled", "passkey", http, ct);
            return new SignInOutcome.Refused();
        }

        return await flow.AdmitAsync(who, given.Amr, keep, http, ct);
    }

    /// <summary>The further factor of a sign-in under way.</summary>
    public async ValueTask<SignInOutcome> FactorAsync(
        PartialSignIn partial, string? ceremony, string? credential, HttpContext http, CancellationToken ct)
    {
        var device = await flow.FindDeviceAsync(partial.Subject, http, ct);
        var attempt = await throttle.TakeAsync(SignInLimits.Factor("passkey", partial.Subject, device?.Id), ct);
        if (attempt.BlockedUntil is { } until)
        {
            Metrics.Factors.Add(1, new("type", "passkey"), new("result", "throttled"));
            await flow.RecordRefusalAsync(partial.Subject, AuditTypes.FactorFailed, "throttled", "passkey", http, ct);
            return new SignInOutcome.Throttled(until);
        }

        if (await ceremonies.FinishFactorAsync(partial.Subject, Posted(ceremony, credential, http), ct) is not PasskeyProof.Given given)
        {
            Metrics.Factors.Add(1, new("type", "passkey"), new("result", "refused"));
            return new SignInOutcome.Refused();
        }

        await attempt.SucceedAsync(ct);
        Metrics.Factors.Add(1, new("type", "passkey"), new("result", "ok"));
        return await flow.CompleteAsync(partial, given.Amr, remember: false, http, ct);
    }

    /// <summary>Adds a passkey to somebody in the middle of a sign-in who may set one up; with it they have proven a further factor.</summary>
    public async ValueTask<SignInOutcome> EnrolAsync(
        PartialSignIn partial, string name, OutboxMail? mail, string? ceremony, string? credential, HttpContext http, CancellationToken ct)
    {
        var made = await AddAsync(partial.Subject, partial.SessionId, name, mail, ceremony, credential, http, ct);
        return made is PasskeyRegistration.Added
            ? await flow.CompleteAsync(partial, [Amr.Key, Amr.UserPresence, Amr.MultipleFactors], remember: false, http, ct)
            : new SignInOutcome.Refused();
    }

    /// <summary>Adds a passkey to somebody who is signed in. The caller made sure of a fresh proof.</summary>
    public ValueTask<PasskeyRegistration> AddAsync(
        string subject, string? sessionId, string name, OutboxMail? mail, string? ceremony, string? credential, HttpContext http, CancellationToken ct) =>
        ceremonies.FinishRegistrationAsync(subject, sessionId, name, mail, Posted(ceremony, credential, http), ct);

    private CeremonyAnswer? Refusal(HttpContext http) =>
        !domain.IsOn ? CeremonyAnswer.None : traffic.MayBegin(http) ? null : CeremonyAnswer.Busy;

    // A browser without a handle began nothing.
    private PostedCredential Posted(string? ceremony, string? credential, HttpContext http) =>
        new(ceremony, credential, browser.Find(http) ?? "", http);
}
