using IdentityServer.Recovery;
using IdentityServer.Storage.Mail;
using IdentityServer.Storage.Users;

namespace IdentityServer.Mail;

/// <summary>Tells people what happened to their account (ASVS 6.3.7): makes the mail that is stored with the deed.</summary>
public sealed class Notices(MailComposer composer, MailBell bell, TimeProvider clock)
{
    /// <summary>A mail of that kind; <see langword="null"/> when the person has no proven address, or no mail is sent here.</summary>
    /// <param name="kind">Which.</param>
    /// <param name="user">Whom it tells.</param>
    /// <param name="http">The browser it happened in; <see langword="null"/>: none of the person's.</param>
    /// <param name="values">What else it says.</param>
    public OutboxMail? Compose(MailKind kind, User user, HttpContext? http, MailValues? values = null) => composer.Compose(
        kind,
        MailRecipient.Of(user),
        (values ?? new MailValues()) with
        {
            At = clock.GetUtcNow(),
            Device = http is null ? null : SignInWords.DeviceOf(http.Request),
            Place = http?.Connection.RemoteIpAddress?.ToString(),
        });

    /// <summary>The deed is done, and the mail stored: send it now.</summary>
    public void Ring() => bell.Ring();
}
