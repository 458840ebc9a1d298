using IdentityServer.Storage.Mail;

namespace IdentityServer.Recovery;

/// <summary>What mailed links are for, as it is stored.</summary>
internal static class MailLinkKinds
{
    public const string PasswordReset = "password_reset";
    public const string Unlock = "unlock";
    public const string VerifyEmail = "verify_email";
    public const string Registration = "registration";
    public const string NotMe = MailLink.NotMe;
}
