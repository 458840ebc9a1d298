using System.Data.Common;
using System.Text.Json.Nodes;
using IdentityServer.Layout;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Audit;
using IdentityServer.Storage.Factors;
using IdentityServer.Storage.Mail;
using IdentityServer.Storage.SignIns;
using IdentityServer.Storage.Users;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace IdentityServer.Passkeys;

/// <summary>
/// WebAuthn ceremonies. What an authenticator answers is verified by ASP.NET Core Identity; ours is what it leaves open: challenges that
/// are used once, on whichever node; origins and the RP ID from settings; whose ceremony it is, and in which browser. Scoped.
/// </summary>
/// <remarks>
/// Whatever is posted, the result is a value, and a refusal is in the audit log with its reason. None of this knows whether the person
/// may sign in: that is for whoever takes the proof.
/// </remarks>
public sealed partial class PasskeyCeremonies(
    PasskeyDomain domain,
    UserManager<User> people,
    IPasskeys passkeys,
    ICeremonies ceremonies,
    IAuditLog audits,
    Brand brand,
    TimeProvider clock,
    ILogger<PasskeyCeremonies> logger)
{
    /// <summary>How long a ceremony may take.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    // None of the real ones comes near: a certificate chain may be in it, though nobody asked for one.
    private const int LongestCredential = 32 * 1024;

    // An RSA key of 8192 bits.
    private const int LongestKey = 1200;

    // WebAuthn Level 3 §5.8.4. Others help nobody and would be stored and sent for ever.
    private static readonly string[] Transports = ["usb", "nfc", "ble", "smart-card", "hybrid", "internal"];

    /// <summary>
    /// Signing in with nothing else. The options name nobody's credentials and are the same whoever asks; the authenticator must verify
    /// the person.
    /// </summary>
    public async ValueTask<BegunCeremony> BeginSignInAsync(string browserHash, HttpContext http, CancellationToken ct)
    {
        var made = await Verifier("required").MakeRequestOptionsAsync(null, http);
        return await SaveAsync(CeremonyKind.SignIn, null, browserHash, made.RequestOptionsJson, made.AssertionState, ct);
    }

    /// <summary>A further factor for somebody who proved another one; <see langword="null"/> when they have no passkey.</summary>
    public async ValueTask<BegunCeremony?> BeginFactorAsync(
        string subject, string browserHash, HttpContext http, CancellationToken ct)
    {
        if (await people.FindByIdAsync(subject) is not { } user || (await passkeys.ListAsync(subject, ct)).Count == 0)
        {
            return null;
        }

        var made = await Verifier("preferred").MakeRequestOptionsAsync(user, http);
        return await SaveAsync(CeremonyKind.Factor, subject, browserHash, made.RequestOptionsJson, made.AssertionState, ct);
    }

    /// <summary>
    /// A new passkey for somebody who just proved who they are; <see langword="null"/> when there is no such person. The authenticator must
    /// verify the person, so that every passkey can also sign in alone.
    /// </summary>
    public async ValueTask<BegunCeremony?> BeginRegistrationAsync(
        string subject, string browserHash, HttpContext http, CancellationToken ct)
    {
        if (await people.FindByIdAsync(subject) is not { } user)
        {
            return null;
        }

        var entity = new PasskeyUserEntity { Id = user.Id, Name = user.UserName!, DisplayName = user.Name ?? user.UserName! };
        var made = await Verifier("required").MakeCreationOptionsAsync(entity, http);

        // Identity calls the server by its RP ID; people know it by another name.
        var options = JsonNode.Parse(made.CreationOptionsJson)!;
        options["rp"]!["name"] = brand.Name;
        return await SaveAsync(
            CeremonyKind.Registration, subject, browserHash, options.ToJsonString(), made.AttestationState, ct);
    }

    /// <summary>Whose passkey it is. The caller decides whether they may sign in.</summary>
    public ValueTask<PasskeyProof> FinishSignInAsync(PostedCredential posted, CancellationToken ct) =>
        ProveAsync(CeremonyKind.SignIn, subject: null, "required", posted, ct);

    /// <summary>Whether it is a passkey of this person.</summary>
    public ValueTask<PasskeyProof> FinishFactorAsync(string subject, PostedCredential posted, CancellationToken ct) =>
        ProveAsync(CeremonyKind.Factor, subject, "preferred", posted, ct);

    /// <summary>Adds the passkey to the person who began, and nobody else.</summary>
    /// <param name="subject">Who is signed in.</param>
    /// <param name="sessionId">Where; <see langword="null"/>: on the way to a session.</param>
    /// <param name="name">What they call it; checked.</param>
    /// <param name="mail">Tells the person; queued with it.</param>
    /// <param name="posted">What was posted.</param>
    /// <param name="ct">Stops before the commit.</param>
    public async ValueTask<PasskeyRegistration> FinishRegistrationAsync(
        string subject, string? sessionId, string name, OutboxMail? mail, PostedCredential posted, CancellationToken ct)
    {
        // 1 the ceremony
        var now = clock.GetUtcNow();
        var (ceremony, refusal) = await TakeAsync(CeremonyKind.Registration, subject, posted, now, ct);
        if (ceremony is null)
        {
            return await RefuseAsync(refusal!);
        }

        // 2 the credential
        var result = await Verifier("required").PerformAttestationAsync(new PasskeyAttestationContext
        {
            HttpContext = posted.Http,
            CredentialJson = posted.Credential!,
            AttestationState = ceremony.State,
        });
        if (!result.Succeeded)
        {
            ThrowIfBroken(result.Failure);
            return await RefuseAsync(PasskeyReasons.Of(result.Failure));
        }

        if (result.UserEntity.Id != subject)
        {
            return await RefuseAsync(PasskeyReasons.OtherPerson);
        }

        if (result.Passkey.PublicKey.Length > LongestKey)
        {
            return await RefuseAsync(PasskeyReasons.Malformed);
        }

        // 3 the passkey
        var passkey = new Passkey
        {
            Id = Passkey.IdOf(result.Passkey.CredentialId),
            Subject = subject,
            CredentialId = result.Passkey.CredentialId,
            PublicKey = result.Passkey.PublicKey,
            Name = name,
            SignCount = result.Passkey.SignCount,
            Transports = [.. Transports.Intersect(result.Passkey.Transports ?? [], StringComparer.Ordinal)],
            IsUserVerified = result.Passkey.IsUserVerified,
            IsBackupEligible = result.Passkey.IsBackupEligible,
            IsBackedUp = result.Passkey.IsBackedUp,
            CreatedAt = now,
        };
        var audit = Event(AuditTypes.PasskeyAdded, subject, posted.Http, now) with { SessionId = sessionId, Detail = passkey.Id };
        return await passkeys.AddAsync(passkey, audit, mail, ct) switch
        {
            PasskeyAddition.Added => new PasskeyRegistration.Added(passkey),
            PasskeyAddition.TooMany => await RefuseAsync(PasskeyReasons.TooMany),
            PasskeyAddition.AlreadyRegistered => await RefuseAsync(PasskeyReasons.AlreadyRegistered),
            _ => await RefuseAsync(PasskeyReasons.OtherPerson),
        };

        async ValueTask<PasskeyRegistration> RefuseAsync(string reason)
        {
            await RecordRefusalAsync(CeremonyKind.Registration, subject, null, reason, posted.Http, now, ct);
            return new PasskeyRegistration.Refused(reason);
        }
    }

    private async ValueTask<PasskeyProof> ProveAsync(
        CeremonyKind kind, string? subject, string userVerification, PostedCredential posted, CancellationToken ct)
    {
        // 1 the ceremony, which is over now however this ends
        var now = clock.GetUtcNow();
        var (ceremony, refusal) = await TakeAsync(kind, subject, posted, now, ct);
        if (ceremony is null)
        {
            return await RefuseAsync(refusal!);
        }

        // 2 the assertion
        var result = await Verifier(userVerification).PerformAssertionAsync(new PasskeyAssertionContext
        {
            HttpContext = posted.Http,
            CredentialJson = posted.Credential!,
            AssertionState = ceremony.State,
        });
        if (!result.Succeeded)
        {
            ThrowIfBroken(result.Failure);
            return await RefuseAsync(PasskeyReasons.Of(result.Failure));
        }

        // 3 the counter, once more: where two nodes hold the same assertion, one of them is told no here
        if (await passkeys.FindAsync(result.Passkey.CredentialId, ct) is not { } passkey || passkey.Subject != result.User.Id)
        {
            return await RefuseAsync(PasskeyReasons.UnknownCredential);
        }

        if (!await passkeys.RecordUseAsync(passkey, result.Passkey.SignCount, result.Passkey.IsBackedUp, now, ct))
        {
            return await RefuseAsync(PasskeyReasons.CounterRegress);
        }

        return new PasskeyProof.Given(
            passkey with { SignCount = result.Passkey.SignCount, IsBackedUp = result.Passkey.IsBackedUp, LastUsedAt = now },
            CredentialReader.IsUserVerified(posted.Credential!));

        async ValueTask<PasskeyProof> RefuseAsync(string reason)
        {
            var concerned = CredentialReader.IdOf(posted.Credential ?? "") is { Length: > 0 and <= 1023 } id
                ? await passkeys.FindAsync(id, ct)
                : null;
            await RecordRefusalAsync(kind, subject ?? concerned?.Subject, concerned, reason, posted.Http, now, ct);
            return new PasskeyProof.Refused(reason);
        }
    }

    private async ValueTask<(Ceremony? Ceremony, string? Refusal)> TakeAsync(
        CeremonyKind kind, string? subject, PostedCredential posted, DateTimeOffset now, CancellationToken ct)
    {
        if (!domain.IsOn || posted.Handle is not { Length: > 0 and < 100 } handle)
        {
            return (null, PasskeyReasons.Of(CeremonyFault.Unknown));
        }

        var taken = await ceremonies.TakeAsync(Handle.HashOf(handle), kind, posted.BrowserHash, now, ct);
        return taken.Ceremony is not { } ceremony ? (null, PasskeyReasons.Of(taken.Fault!.Value))
            : ceremony.Subject != subject ? (null, PasskeyReasons.OtherPerson)
            : posted.Credential is not { Length: > 0 and <= LongestCredential } ? (null, PasskeyReasons.Malformed)
            : (ceremony, null);
    }

    private async ValueTask<BegunCeremony> SaveAsync(
        CeremonyKind kind, string? subject, string browserHash, string options, string? state, CancellationToken ct)
    {
        if (!domain.IsOn)
        {
            throw new InvalidOperationException("There are no passkeys on this server: ask PasskeyDomain.IsOn first.");
        }

        var handle = Handle.Create();
        var ceremony = new Ceremony
        {
            Hash = handle.Hash,
            Kind = kind,
            BrowserHash = browserHash,
            Subject = subject,
            State = state!,
            ExpiresAt = clock.GetUtcNow() + Lifetime,
        };
        await ceremonies.SaveAsync(ceremony, ct);
        return new BegunCeremony(handle.Text, options);
    }

    private PasskeyHandler<User> Verifier(string userVerification) => new(people, Options.Create(domain.Options(userVerification)));

    // The verifier takes every exception for a fault of what was posted; that the database is away is none.
    private static void ThrowIfBroken(PasskeyException failure)
    {
        for (Exception? cause = failure; cause is not null; cause = cause.InnerException)
        {
            if (cause is DbException or TimeoutException)
            {
                throw failure;
            }
        }
    }

    private async ValueTask RecordRefusalAsync(
        CeremonyKind kind, string? subject, Passkey? passkey, string reason, HttpContext http, DateTimeOffset now, CancellationToken ct)
    {
        var purpose = kind switch
        {
            CeremonyKind.SignIn => "sign_in",
            CeremonyKind.Factor => "factor",
            _ => "registration",
        };
        var audit = Event(AuditTypes.PasskeyRefused, subject, http, now) with
        {
            Actor = kind == CeremonyKind.SignIn ? "anonymous" : "user:" + subject,
            Outcome = reason,
            Detail = passkey is null ? purpose : $"{purpose} {passkey.Id}",
        };
        await audits.WriteAsync([audit], ct);
        LogRefused(logger, purpose, subject, reason);
    }

    private static AuditEvent Event(string type, string? subject, HttpContext http, DateTimeOffset now) => new(type, now)
    {
        Actor = "user:" + subject,
        Subject = subject,
        Address = http.Connection.RemoteIpAddress?.ToString(),
    };

    [LoggerMessage(3601, LogLevel.Information, "A passkey for {Purpose} of {Subject} was refused: {Reason}.")]
    private static partial void LogRefused(ILogger logger, string purpose, string? subject, string reason);
}
