using IdentityServer.Protocol;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Storage.Users;
using Microsoft.AspNetCore.Identity;

namespace IdentityServer.SignIn;

/// <summary>How a sign-in went.</summary>
public abstract record SignInOutcome
{
    private SignInOutcome() { }

    /// <summary>The browser has a session now.</summary>
    public sealed record SignedIn(Session Session) : SignInOutcome;

    /// <summary>Not signed in. Why is in the audit log and nowhere else: every reason looks the same from outside.</summary>
    public sealed record Refused : SignInOutcome;

    /// <summary>Nothing was checked: too many sign-ins at this moment.</summary>
    public sealed record Busy : SignInOutcome;
}

/// <summary>
/// Proves who somebody is by a password and opens their session. An unknown name, a wrong password, a locked and a disabled
/// account cost the same time and get the same answer.
/// </summary>
public sealed partial class SignInFlow(
    ICredentials credentials,
    IPasswordHasher<User> hasher,
    PasswordTurns turns,
    ISessionStore sessions,
    IAuditLog audits,
    Revoker revoker,
    SessionCookie cookie,
    RememberedAccounts remembered,
    TimeProvider clock,
    ILogger<SignInFlow> logger)
{
    /// <summary>When somebody who was turned away for lack of room may come again.</summary>
    public const int BusySeconds = 5;

    /// <summary>How long a session kept on a device may rest.</summary>
    public static readonly TimeSpan KeptIdle = TimeSpan.FromDays(14);

    // Checked when nobody has the name, so that the answer takes as long. Nobody knows its password.
    private readonly Lazy<string> _nobody = new(() => hasher.HashPassword(new User(), Handle.Create().Text));

    /// <summary>Checks the password and, when it is right, gives the browser a session.</summary>
    /// <param name="userName">User name or e-mail address, as typed.</param>
    /// <param name="password">As typed.</param>
    /// <param name="keep">The person wants to stay signed in on this device.</param>
    /// <param name="http">The browser.</param>
    /// <param name="ct">Stops before anything is changed.</param>
    public async ValueTask<SignInOutcome> SignInAsync(
        string userName, string password, bool keep, HttpContext http, CancellationToken ct)
    {
        // 1 who it may be
        var now = clock.GetUtcNow();
        var address = http.Connection.RemoteIpAddress?.ToString();
        var found = await credentials.FindAsync(userName.Trim(), ct);

        // 2 the password, whoever it is
        if (await VerifyAsync(found?.User, password, ct) is not { } verified)
        {
            LogBusy(logger);
            return new SignInOutcome.Busy();
        }

        if (Refusal(found?.User, verified, now) is { } refusal)
        {
            await RecordRefusalAsync(found?.User, refusal, now, address, ct);
            return new SignInOutcome.Refused();
        }

        var user = found!.User;
        var betterHash = verified == PasswordVerificationResult.SuccessRehashNeeded ? hasher.HashPassword(user, password) : null;
        await credentials.RecordSuccessAsync(found, betterHash, ct);

        // 3 the session
        var session = await OpenAsync(found, keep, now, address, http, ct);
        if (session.KeepSignedIn)
        {
            remembered.Remember(http, new RememberedAccount(user.Id, user.UserName!, user.Name ?? user.UserName!));
        }

        return new SignInOutcome.SignedIn(session);
    }

    private async ValueTask<PasswordVerificationResult?> VerifyAsync(User? user, string password, CancellationToken ct)
    {
        var nobody = _nobody.Value;
        using var turn = await turns.WaitAsync(ct);
        return turn.IsAcquired ? hasher.VerifyHashedPassword(user ?? new User(), user?.PasswordHash ?? nobody, password) : null;
    }

    private static string? Refusal(User? user, PasswordVerificationResult verified, DateTimeOffset now) => user switch
    {
        null => "unknown",
        { DisabledAt: not null } => "disabled",
        _ when user.LockoutEnd > now => "locked",
        _ when user.PasswordHash is null || verified == PasswordVerificationResult.Failed => "wrong_password",
        _ => null,
    };

    private async ValueTask RecordRefusalAsync(User? user, string outcome, DateTimeOffset now, string? address, CancellationToken ct)
    {
        var audit = new AuditEvent(AuditTypes.SignInFailed, now)
        {
            Actor = user is null ? "anonymous" : "user:" + user.Id,
            Subject = user?.Id,
            Address = address,
            Outcome = outcome,
            Detail = "pwd",
        };
        if (outcome == "wrong_password")
        {
            await credentials.RecordFailureAsync(user!.Id, now, Lockout.After, audit, ct);
        }
        else
        {
            await audits.WriteAsync([audit], ct);
        }

        LogRefused(logger, user?.Id, outcome);
    }

    private async ValueTask<Session> OpenAsync(
        Credential who, bool keep, DateTimeOffset now, string? address, HttpContext http, CancellationToken ct)
    {
        var (idle, absolute, isKept) = who.IsAdmin
            ? (TimeSpan.FromMinutes(15), TimeSpan.FromHours(8), false)
            : keep ? (KeptIdle, TimeSpan.FromDays(30), true) : (TimeSpan.FromHours(1), TimeSpan.FromHours(12), false);
        var current = await cookie.FindSessionAsync(http, ct);
        var isSame = current?.Subject == who.User.Id;
        var session = new Session
        {
            Id = isSame ? current!.Id : Handle.NewId(),
            Subject = who.User.Id,
            AuthenticatedAt = now,
            Amr = ["pwd"],
            Acr = AcrValues.Password,
            CreatedAt = isSame ? current!.CreatedAt : now,
            LastSeenAt = now,
            IdleLifetime = idle,
            ExpiresAt = now + absolute,
            KeepSignedIn = isKept,
            Address = address,
            UserAgent = http.Request.Headers.UserAgent.ToString() is { Length: > 0 } agent ? agent : null,
        };

        // The same person again keeps the session and gets a new handle; anybody else's session in this browser ends.
        var handle = Handle.Create();
        if (!isSame || !await sessions.RenewAsync(session, handle.Hash, SignedIn(session), ct))
        {
            if (current is not null && !isSame)
            {
                var cause = new Cause("replaced", "user:" + who.User.Id, address);
                await revoker.EndSessionAsync(current.Id, current.Subject, alsoOffline: false, cause, ct);
            }

            session = session with { Id = Handle.NewId(), CreatedAt = now };
            await sessions.OpenAsync(session, handle.Hash, SignedIn(session), ct);
        }

        cookie.Write(http, session, handle);
        LogSignedIn(logger, session.Subject, session.Id);
        return session;
    }

    private static AuditEvent SignedIn(Session session) => new(AuditTypes.SignedIn, session.AuthenticatedAt)
    {
        Actor = "user:" + session.Subject,
        Subject = session.Subject,
        SessionId = session.Id,
        Address = session.Address,
        Detail = session.KeepSignedIn ? "pwd kept" : "pwd",
    };

    [LoggerMessage(3101, LogLevel.Information, "Signed in {Subject}, session {SessionId}.")]
    private static partial void LogSignedIn(ILogger logger, string subject, string sessionId);

    [LoggerMessage(3102, LogLevel.Information, "Sign-in of {Subject} refused: {Outcome}.")]
    private static partial void LogRefused(ILogger logger, string? subject, string outcome);

    [LoggerMessage(3103, LogLevel.Warning, "A sign-in was turned away: as many passwords as allowed are being checked.")]
    private static partial void LogBusy(ILogger logger);
}
