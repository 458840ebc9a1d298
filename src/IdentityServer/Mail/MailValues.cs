namespace IdentityServer.Mail;

/// <summary>What a mail tells; what is left out is not mentioned. Texts may come from outside: they are shown, never trusted.</summary>
public sealed record MailValues
{
    /// <summary>An address of this server, for the kinds that have a button.</summary>
    public string? Link { get; init; }

    /// <summary>How long the link works; <see langword="null"/>: it is no secret.</summary>
    public TimeSpan? LinkLifetime { get; init; }

    /// <summary>The link works only in the browser that asked for it.</summary>
    public bool IsForSameBrowser { get; init; }

    /// <summary>When it happened.</summary>
    public DateTimeOffset? At { get; init; }

    /// <summary>The browser, in words.</summary>
    public string? Device { get; init; }

    /// <summary>Where, as far as it is known.</summary>
    public string? Place { get; init; }

    public string? App { get; init; }

    /// <summary>For <see cref="MailKind.FactorChanged"/>.</summary>
    public FactorChange? Change { get; init; }

    /// <summary>How many recovery codes are left.</summary>
    public int? Left { get; init; }

    /// <summary>Deliberately short: a link is a secret.</summary>
    public override string ToString() => "[mail]";
}

/// <summary>What became of the ways to sign in.</summary>
public enum FactorChange
{
    AuthenticatorAdded,
    AuthenticatorRemoved,
    PasskeyAdded,
    PasskeyRemoved,
    RecoveryCodesMade,
    SecondFactorRequired,
    SecondFactorNotRequired,
}
