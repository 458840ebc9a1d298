using IdentityServer.Configuration;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Risk;
using IdentityServer.Storage.Devices;
using IdentityServer.Storage.Factors;
using IdentityServer.Storage.SignIns;
using IdentityServer.Storage.Users;
using IdentityServer.Telemetry;

namespace IdentityServer.SignIn;

/// <summary>How a step of a sign-in went.</summary>
public abstract record SignInOutcome
{
    private SignInOutcome() { }

    /// <summary>The browser has a session now.</summary>
    public sealed record SignedIn(Session Session) : SignInOutcome;

    /// <summary>What was proven is kept; a further factor is needed, or one must be set up first.</summary>
    public sealed record NeedsFactor(OwnedFactors Factors) : SignInOutcome;

    /// <summary>Not signed in. Why is in the audit log and nowhere else: every reason looks the same from outside.</summary>
    public sealed record Refused : SignInOutcome;

    /// <summary>Nothing was checked: there were too many attempts without success.</summary>
    /// <param name="Until">When the next one is checked; <see cref="Throttling.ThrottleRule.Never"/>: none is.</param>
    public sealed record Throttled(DateTimeOffset Until) : SignInOutcome;

    /// <summary>Nothing was checked: too many sign-ins at this moment.</summary>
    public sealed record Busy : SignInOutcome;

    /// <summary>There is no sign-in under way to which this belongs (any more): begin anew.</summary>
    public sealed record Over : SignInOutcome;
}

/// <summary>
/// The one door behind every proof: decides whether what was proven is enough, keeps it until the rest is there, and opens the session.
/// </summary>
public sealed partial class SignInFlow(
    ICredentials credentials,
    IFactors factors,
    IDevices devices,
    IPartialSignIns partials,
    ISessionStore sessions,
    ISignInDoor door,
    IAuditLog audits,
    Revoker revoker,
    SessionCookie cookie,
    PartialCookie partialCookie,
    BrowserCookie browser,
    RememberedAccounts remembered,
    SignInWatch watch,
    SignInSettings settings,
    TimeProvider clock,
    ILogger<SignInFlow> logger)
{
    /// <summary>How long a session kept on a device may rest.</summary>
    public static readonly TimeSpan KeptIdle = TimeSpan.FromDays(14);

    /// <summary>How long a sign-in may take: time enough to fetch a phone, or to install an app on it.</summary>
    public static readonly TimeSpan PartialLifetime = TimeSpan.FromMinutes(15);

    // A browser that was not used to sign in for so long is a stranger again.
    private static readonly TimeSpan DeviceLifetime = TimeSpan.FromDays(400);

    /// <summary>Somebody proved who they are, from nothing: with a password, or a passkey.</summary>
    /// <param name="who">Who.</param>
    /// <param name="amr">How.</param>
    /// <param name="keep">They want to stay signed in on this device.</param>
    /// <param name="http">The browser.</param>
    /// <param name="ct">Stops before anything is changed.</param>
    public async ValueTask<SignInOutcome> AdmitAsync(
        Credential who, IReadOnlyList<string> amr, bool keep, HttpContext http, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var owned = await factors.FindAsync(who.User.Id, ct);
        var isRequired = settings.RequireSecondFactor || who.User.RequiresSecondFactor;
        if (AcrValues.Satisfies(AcrValues.Of(amr), AcrValues.Mfa)
            || (!isRequired && (!owned.HasAny || await IsSparedAsync(who.User.Id, http, now, ct))))
        {
            return await OpenAsync(who, amr, now, keep, remember: false, isStepUp: false, http, ct);
        }

        await SavePartialAsync(who.User.Id, amr, now, keep, sessionId: null, http, ct);
        return new SignInOutcome.NeedsFactor(owned);
    }

    /// <summary>Who is signed in shall prove more: what the session stands for is the beginning.</summary>
    public async ValueTask<OwnedFactors> BeginStepUpAsync(Session session, HttpContext http, CancellationToken ct)
    {
        await SavePartialAsync(session.Subject, session.Amr, session.AuthenticatedAt, session.KeepSignedIn, session.Id, http, ct);
        return await factors.FindAsync(session.Subject, ct);
    }

    /// <summary>The factor that was missing is there: opens the session, or makes the one there is stronger.</summary>
    /// <param name="partial">The sign-in under way; used up.</param>
    /// <param name="amr">What was proven now.</param>
    /// <param name="remember">This device shall be spared the second factor for a time.</param>
    /// <param name="http">The browser.</param>
    /// <param name="ct">Stops before anything is changed.</param>
    public async ValueTask<SignInOutcome> CompleteAsync(
        PartialSignIn partial, IReadOnlyList<string> amr, bool remember, HttpContext http, CancellationToken ct)
    {
        partialCookie.Delete(http);

        // The person before the sign-in is taken: what is changed in between is noticed at the door.
        if (await credentials.FindBySubjectAsync(partial.Subject, ct) is not { User.DisabledAt: null } who
            || !await partials.TakeAsync(partial.Hash, clock.GetUtcNow(), ct))
        {
            return new SignInOutcome.Over();
        }

        // A step up goes on with the session it began with, and with no other.
        var current = await cookie.FindSessionAsync(http, ct);
        if (partial.SessionId is not null && current?.Id != partial.SessionId)
        {
            return new SignInOutcome.Over();
        }

        var joined = Amr.Join(partial.Amr, amr);
        return await OpenAsync(
            who, joined, partial.ProvenAt, partial.KeepSignedIn, remember, isStepUp: partial.SessionId is not null, http, ct);
    }

    /// <summary>
    /// The session goes on under a new handle, because what protects it changed: a copy of the cookie made before is worth nothing.
    /// </summary>
    /// <param name="session">The session.</param>
    /// <param name="amr">What was proven on the way, beyond what it stands for.</param>
    /// <param name="reason">A fixed word for the audit log.</param>
    /// <param name="http">The browser.</param>
    /// <param name="ct">Stops before anything is changed.</param>
    public async ValueTask RenewAsync(Session session, IReadOnlyList<string> amr, string reason, HttpContext http, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var joined = Amr.Join(session.Amr, amr);
        var renewed = session with { Amr = joined, Acr = AcrValues.Of(joined), LastSeenAt = now };
        var audit = new AuditEvent(AuditTypes.SessionRenewed, now)
        {
            Actor = "user:" + session.Subject,
            Subject = session.Subject,
            SessionId = session.Id,
            Address = http.Connection.RemoteIpAddress?.ToString(),
            Detail = reason,
        };
        var handle = Handle.Create();
        if (await sessions.RenewAsync(renewed, handle.Hash, audit, ct))
        {
            cookie.Write(http, renewed, handle);
        }
    }

    /// <summary>The device the person signed in with before, if this browser is one.</summary>
    public async ValueTask<Device?> FindDeviceAsync(string subject, HttpContext http, CancellationToken ct) =>
        browser.Find(http) is { } hash ? await devices.FindAsync(subject, hash, clock.GetUtcNow(), ct) : null;

    private async ValueTask<bool> IsSparedAsync(string subject, HttpContext http, DateTimeOffset now, CancellationToken ct) =>
        await FindDeviceAsync(subject, http, ct) is { RememberedUntil: { } until } && until > now
        && !watch.AsksForMore(await watch.AssessAsync(subject, isNewDevice: false, http.Connection.RemoteIpAddress, ct));

    private async ValueTask SavePartialAsync(
        string subject, IReadOnlyList<string> amr, DateTimeOffset provenAt, bool keep, string? sessionId, HttpContext http, CancellationToken ct)
    {
        var handle = Handle.Create();
        await partials.SaveAsync(
            new PartialSignIn
            {
                Hash = handle.Hash,
                Subject = subject,
                Amr = amr,
                ProvenAt = provenAt,
                KeepSignedIn = keep,
                SessionId = sessionId,
                ExpiresAt = clock.GetUtcNow() + PartialLifetime,
            },
            ct);
        partialCookie.Write(http, handle);
    }

    /// <param name="who">Who.</param>
    /// <param name="amr">All that was proven.</param>
    /// <param name="provenAt">When the oldest of it was: <c>auth_time</c> never claims more than the weakest part.</param>
    /// <param name="keep">Stay signed in.</param>
    /// <param name="remember">Spare this device the second factor.</param>
    /// <param name="isStepUp">They were signed in already.</param>
    /// <param name="http">The browser.</param>
    /// <param name="ct">Stops before anything is changed.</param>
    private async ValueTask<SignInOutcome> OpenAsync(
        Credential who,
        IReadOnlyList<string> amr,
        DateTimeOffset provenAt,
        bool keep,
        bool remember,
        bool isStepUp,
        HttpContext http,
        CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var isNewDevice = await FindDeviceAsync(who.User.Id, http, ct) is null;
        var signs = isStepUp ? [] : await watch.AssessAsync(who.User.Id, isNewDevice, http.Connection.RemoteIpAddress, ct);
        var address = http.Connection.RemoteIpAddress?.ToString();
        var userAgent = http.Request.Headers.UserAgent.ToString() is { Length: > 0 } agent ? agent : null;
        var (idle, absolute, isKept) = who.IsAdmin
            ? (TimeSpan.FromMinutes(15), TimeSpan.FromHours(8), false)
            : keep ? (KeptIdle, TimeSpan.FromDays(30), true) : (TimeSpan.FromHours(1), TimeSpan.FromHours(12), false);
        var deviceId = await devices.SeenAsync(
            new Device
            {
                Id = Handle.NewId(),
                Subject = who.User.Id,
                BrowserHash = browser.Ensure(http),
                CreatedAt = now,
                LastSeenAt = now,
                RememberedUntil = remember && settings.RememberDevice > TimeSpan.Zero ? now + settings.RememberDevice : null,
                ExpiresAt = now + DeviceLifetime,
                Address = address,
                UserAgent = userAgent,
            },
            ct);
        var current = await cookie.FindSessionAsync(http, ct);
        var isSame = current?.Subject == who.User.Id;
        var session = new Session
        {
            Id = isSame ? current!.Id : Handle.NewId(),
            Subject = who.User.Id,
            AuthenticatedAt = provenAt,
            Amr = amr,
            Acr = AcrValues.Of(amr),
            CreatedAt = isSame ? current!.CreatedAt : now,
            LastSeenAt = now,
            IdleLifetime = idle,
            ExpiresAt = now + absolute,
            KeepSignedIn = isKept,
            Address = address,
            UserAgent = userAgent,
            DeviceId = deviceId,
        };

        // The same person again keeps the session and gets a new handle; anybody else's session in this browser ends.
        var handle = Handle.Create();
        if (!isSame || !await door.RenewAsync(who.User, session, handle.Hash, Event(session, now, isSame), ct))
        {
            if (current is not null && !isSame)
            {
                var cause = new Cause("replaced", "user:" + who.User.Id, address);
                await revoker.EndSessionAsync(current.Id, current.Subject, alsoOffline: false, cause, ct);
            }

            session = session with { Id = Handle.NewId(), CreatedAt = now };
            if (!await door.OpenAsync(who.User, session, handle.Hash, Event(session, now, isAgain: false), ct))
            {
                await RecordRefusalAsync(who.User.Id, AuditTypes.SignInFailed, "changed_meanwhile", Method(amr), http, ct);
                return new SignInOutcome.Over();
            }
        }

        cookie.Write(http, session, handle);
        if (session.KeepSignedIn)
        {
            remembered.Remember(http, new RememberedAccount(who.User.Id, who.User.UserName!, who.User.Name ?? who.User.UserName!));
        }

        Metrics.SignIns.Add(1, new("result", "ok"), new("method", Method(amr)));
        LogSignedIn(logger, session.Subject, session.Id);
        if (!isStepUp)
        {
            await watch.NoteAsync(who.User, session, signs, http.Connection.RemoteIpAddress, ct);
        }

        return new SignInOutcome.SignedIn(session);
    }

    /// <summary>Records that somebody was not let in.</summary>
    /// <param name="subject">Who it would have been; <see langword="null"/>: nobody has that name.</param>
    /// <param name="type">One of <see cref="AuditTypes"/>.</param>
    /// <param name="outcome">Why.</param>
    /// <param name="method">What was tried.</param>
    /// <param name="http">The browser.</param>
    /// <param name="ct">Stops before the write.</param>
    internal async ValueTask RecordRefusalAsync(
        string? subject, string type, string outcome, string method, HttpContext http, CancellationToken ct)
    {
        var audit = new AuditEvent(type, clock.GetUtcNow())
        {
            Actor = subject is null ? "anonymous" : "user:" + subject,
            Subject = subject,
            Address = http.Connection.RemoteIpAddress?.ToString(),
            Outcome = outcome,
            Detail = method,
        };
        await audits.WriteAsync([audit], ct);
        LogRefused(logger, subject, outcome);
    }

    private static AuditEvent Event(Session session, DateTimeOffset now, bool isAgain) =>
        new(isAgain && session.AuthenticatedAt < now ? AuditTypes.SteppedUp : AuditTypes.SignedIn, now)
        {
            Actor = "user:" + session.Subject,
            Subject = session.Subject,
            SessionId = session.Id,
            Address = session.Address,
            Detail = string.Join(' ', session.Amr) + (session.KeepSignedIn ? " kept" : ""),
        };

    private static string Method(IReadOnlyList<string> amr) => AcrValues.Of(amr) switch
    {
        AcrValues.PhishingResistant => "passkey",
        AcrValues.Mfa => "mfa",
        _ => "password",
    };

    [LoggerMessage(3101, LogLevel.Information, "Signed in {Subject}, session {SessionId}.")]
    private static partial void LogSignedIn(ILogger logger, string subject, string sessionId);

    [LoggerMessage(3102, LogLevel.Information, "Sign-in of {Subject} refused: {Outcome}.")]
    private static partial void LogRefused(ILogger logger, string? subject, string outcome);
}
