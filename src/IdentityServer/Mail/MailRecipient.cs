using IdentityServer.Storage.Users;

namespace IdentityServer.Mail;

/// <summary>Whom a mail goes to.</summary>
/// <param name="Email">The address.</param>
/// <param name="Subject">Whose account it is about; <see langword="null"/>: nobody's yet.</param>
/// <param name="Name">How the person is called; <see langword="null"/>: not known.</param>
/// <param name="Locale">The person's language, as far as it is known.</param>
public sealed record MailRecipient(string Email, string? Subject, string? Name, string? Locale)
{
    /// <summary>The person at the address that they have proven; <see langword="null"/> while there is none: an address somebody mistyped is a stranger's.</summary>
    public static MailRecipient? Of(User user) => user is { EmailConfirmed: true, Email.Length: > 0 } ? At(user.Email, user) : null;

    /// <summary>The person at another address: the one to be proven, or the one that was.</summary>
    public static MailRecipient At(string email, User user) => new(email, user.Id, user.Name ?? user.UserName, user.Locale);

    /// <summary>Somebody who has no account.</summary>
    public static MailRecipient Stranger(string email) => new(email, null, null, null);

    /// <summary>Deliberately short: an address must not reach a log by accident.</summary>
    public override string ToString() => $"{{ Subject = {Subject} }}";
}
