using System.Security.Cryptography;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Audit;
using IdentityServer.Storage.Factors;
using IdentityServer.Storage.Mail;
using Microsoft.AspNetCore.DataProtection;

namespace IdentityServer.SignIn;

/// <summary>A secret that a person is about to put into an app.</summary>
/// <param name="Sealed">The secret, sealed for this person; the page holds it until the first code is typed.</param>
/// <param name="Text">The secret for an app without a camera: base32.</param>
/// <param name="KeyUri">The secret for a QR code.</param>
public sealed record AuthenticatorOffer(string Sealed, string Text, string KeyUri);

/// <summary>Enrols authenticator apps and checks their codes. Secrets are sealed in the database and bound to the person.</summary>
public sealed class AuthenticatorApps(
    IAuthenticators authenticators, IDataProtectionProvider protection, Layout.Brand brand, TimeProvider clock)
{
    /// <summary>A new secret for this person; nothing is stored.</summary>
    public AuthenticatorOffer Offer(Person person) => Describe(person, Totp.NewSecret());

    /// <summary>The same offer again, after a wrong code; <see langword="null"/>: it was not made for this person here.</summary>
    public AuthenticatorOffer? OfferAgain(Person person, string? sealedOffer) =>
        Open(person.Subject, sealedOffer) is { } secret ? Describe(person, secret) : null;

    /// <summary>Adds the app if the code is one of the offered secret. The code is used up.</summary>
    /// <param name="subject">Whose.</param>
    /// <param name="sealedOffer">As it came with the page.</param>
    /// <param name="typed">The first code.</param>
    /// <param name="name">What the person calls it.</param>
    /// <param name="audit">Tells of it.</param>
    /// <param name="mail">Tells the person.</param>
    /// <param name="ct">Stops before the change.</param>
    public async ValueTask<bool> EnrolAsync(
        string subject, string? sealedOffer, string? typed, string name, AuditEvent audit, OutboxMail? mail, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        if (Open(subject, sealedOffer) is not { } secret || Totp.Read(typed) is not { } code || Totp.Match(secret, code, now) is not { } step)
        {
            return false;
        }

        return await authenticators.AddAsync(
            new Authenticator
            {
                Id = Handle.NewId(),
                Subject = subject,
                Name = name,
                SealedSecret = Protector(subject).Protect(Convert.ToBase64String(secret)),
                CreatedAt = now,
                LastUsedAt = now,
                LastStep = step,
            },
            audit,
            mail,
            ct);
    }

    /// <summary>True when the code is one of the person's apps and was not accepted before.</summary>
    public async ValueTask<bool> AcceptAsync(string subject, string? typed, CancellationToken ct)
    {
        if (Totp.Read(typed) is not { } code)
        {
            return false;
        }

        var now = clock.GetUtcNow();
        foreach (var authenticator in await authenticators.ListAsync(subject, ct))
        {
            if (Open(subject, authenticator.SealedSecret) is { } secret && Totp.Match(secret, code, now) is { } step)
            {
                return await authenticators.AcceptAsync(authenticator.Id, step, now, ct);
            }
        }

        return false;
    }

    private AuthenticatorOffer Describe(Person person, byte[] secret) => new(
        Protector(person.Subject).Protect(Convert.ToBase64String(secret)),
        Base32.Encode(secret),
        Totp.KeyUri(brand.Name, person.UserName, secret));

    private byte[]? Open(string subject, string? text)
    {
        try
        {
            return text is null ? null : Convert.FromBase64String(Protector(subject).Unprotect(text));
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private IDataProtector Protector(string subject) => protection.CreateProtector("IdentityServer.Authenticators", subject);
}
