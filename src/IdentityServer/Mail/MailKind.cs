namespace IdentityServer.Mail;

/// <summary>Which mail it is: a closed set. Its name stands in the database, its words in the resource files.</summary>
public sealed class MailKind
{
    /// <summary>How long a link lives that somebody asked for; its mail is worth nothing afterwards.</summary>
    public static readonly TimeSpan LinkLifetime = TimeSpan.FromMinutes(15);

    /// <summary>How long a <em>not me</em> link lives: people read their mail late.</summary>
    public static readonly TimeSpan NotMeLifetime = TimeSpan.FromDays(7);

    private static readonly TimeSpan LongPatience = TimeSpan.FromDays(3);

    private MailKind(string name, string subject, string text, string? button, string ending, bool isAskedFor)
    {
        (Name, Subject, Text, Button, Ending, IsAskedFor) = (name, subject, text, button, ending, isAskedFor);
    }

    /// <summary>Whoever follows it has the address: sent to one that is not proven yet.</summary>
    public static MailKind VerifyEmail { get; } = AskedFor(
        "verify_email", "Mail_VerifyEmail_Subject", "Mail_VerifyEmail_Text", "Mail_VerifyEmail_Button");

    public static MailKind PasswordReset { get; } = AskedFor(
        "password_reset", "Mail_PasswordReset_Subject", "Mail_PasswordReset_Text", "Mail_PasswordReset_Button");

    /// <summary>To an address that has no account yet.</summary>
    public static MailKind Registration { get; } = AskedFor(
        "registration", "Mail_Registration_Subject", "Mail_Registration_Text", "Mail_Registration_Button");

    /// <summary>Somebody asked for an account with an address that has one.</summary>
    public static MailKind RegistrationExists { get; } = Notice(
        "registration_exists", "Mail_RegistrationExists_Subject", "Mail_RegistrationExists_Text", "Mail_RegistrationExists_Button", "Mail_IfNotAsked");

    public static MailKind Unlock { get; } = AskedFor(
        "unlock", "Mail_Unlock_Subject", "Mail_Unlock_Text", "Mail_Unlock_Button");

    /// <summary>Its link says: this was not me.</summary>
    public static MailKind NewSignIn { get; } = Notice(
        "new_sign_in", "Mail_NewSignIn_Subject", "Mail_NewSignIn_Text", "Mail_NotMe_Button", "Mail_NotMe");

    /// <summary>As above.</summary>
    public static MailKind SuspiciousSignIn { get; } = Notice(
        "suspicious_sign_in", "Mail_SuspiciousSignIn_Subject", "Mail_SuspiciousSignIn_Text", "Mail_NotMe_Button", "Mail_NotMe");

    /// <summary>An authenticator, a passkey or recovery codes were added or removed: <see cref="MailValues.Change"/>.</summary>
    public static MailKind FactorChanged { get; } = Notice(
        "factor_changed", "Mail_FactorChanged_Subject", "Mail_FactorChanged_Text", button: null, "Mail_IfNotYou");

    public static MailKind PasswordChanged { get; } = Notice(
        "password_changed", "Mail_PasswordChanged_Subject", "Mail_PasswordChanged_Text", button: null, "Mail_IfNotYou");

    /// <summary>To the address that was.</summary>
    public static MailKind EmailChanged { get; } = Notice(
        "email_changed", "Mail_EmailChanged_Subject", "Mail_EmailChanged_Text", button: null, "Mail_IfNotYou");

    /// <summary>Says how many are left.</summary>
    public static MailKind RecoveryCodeUsed { get; } = Notice(
        "recovery_code_used", "Mail_RecoveryCodeUsed_Subject", "Mail_RecoveryCodeUsed_Text", button: null, "Mail_IfNotYou");

    /// <summary>Somebody in support took the second factors away.</summary>
    public static MailKind SupportReset { get; } = Notice(
        "support_reset", "Mail_SupportReset_Subject", "Mail_SupportReset_Text", button: null, "Mail_IfNotYou");

    public static IReadOnlyList<MailKind> All { get; } =
    [
        VerifyEmail, PasswordReset, Registration, RegistrationExists, Unlock, NewSignIn, SuspiciousSignIn, FactorChanged,
        PasswordChanged, EmailChanged, RecoveryCodeUsed, SupportReset,
    ];

    /// <summary>As it is stored, counted and listed.</summary>
    public string Name { get; }

    /// <summary>Somebody waits for its link, which soon works no more: it is sent soon, or never.</summary>
    public bool IsAskedFor { get; }

    /// <summary>How long it is tried.</summary>
    public TimeSpan Patience => IsAskedFor ? LinkLifetime : LongPatience;

    /// <summary>The longest pause between two attempts.</summary>
    public TimeSpan LongestPause => IsAskedFor ? TimeSpan.FromMinutes(2) : TimeSpan.FromHours(6);

    internal string Subject { get; }

    internal string Text { get; }

    internal string? Button { get; }

    internal string Ending { get; }

    /// <summary>The kind of that name; <see langword="null"/> for one that another version of the server stored.</summary>
    public static MailKind? Named(string name) => All.FirstOrDefault(kind => kind.Name == name);

    public override string ToString() => Name;

    private static MailKind AskedFor(string name, string subject, string text, string button) =>
        new(name, subject, text, button, "Mail_IfNotAsked", isAskedFor: true);

    private static MailKind Notice(string name, string subject, string text, string? button, string ending) =>
        new(name, subject, text, button, ending, isAskedFor: false);
}
