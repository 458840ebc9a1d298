using IdentityServer.Protocol.Keys;
using IdentityServer.Storage;

namespace IdentityServer.Configuration;

/// <summary>
/// The settings section <c>IdentityServer</c>; docs/settings.md lists each with its default. <see cref="SettingsReader"/> checks
/// them and fills in what was left out: a wrong one stops the start.
/// </summary>
public sealed class ServerSettings
{
    /// <summary>The public base address, e.g. <c>https://id.example.com</c>. In Development it follows the first listening address.</summary>
    public string Issuer { get; set; } = "";

    public DatabaseSettings Database { get; set; } = new();

    public MasterKeySettings MasterKey { get; set; } = new();

    public BrandSettings Brand { get; set; } = new();

    public ProxySettings Proxies { get; set; } = new();

    public TokenSettings Tokens { get; set; } = new();

    public KeySettings Keys { get; set; } = new();

    public PasskeySettings Passkeys { get; set; } = new();

    public SignInSettings SignIn { get; set; } = new();

    public RiskSettings Risk { get; set; } = new();

    public MailSettings Mail { get; set; } = new();

    public AccountSettings Accounts { get; set; } = new();

    public MetricsSettings Metrics { get; set; } = new();
}

/// <summary>Section <c>IdentityServer:Metrics</c>: who may read <c>/metrics</c>.</summary>
public sealed class MetricsSettings
{
    /// <summary>What a reader shows as bearer token; empty: there is no such page. Never shown, never logged.</summary>
    public string Token { get; set; } = "";
}

/// <summary>Section <c>IdentityServer:Database</c>.</summary>
public sealed class DatabaseSettings
{
    public DatabaseProvider Provider { get; set; } = DatabaseProvider.Sqlite;

    /// <summary>As the provider wants it. SQLite's default is <c>data/identityserver.db</c>. May hold a password: never shown, never logged.</summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>As storage takes it.</summary>
    public StorageOptions ToStorageOptions() => new(Provider, ConnectionString);
}

/// <summary>One master key: a file, or its text.</summary>
public class MasterKeySourceSettings
{
    /// <summary>The file that holds the key: PEM, or PKCS#12 (.pfx, .p12).</summary>
    public string Path { get; set; } = "";

    /// <summary>The PEM text itself, instead of a file. Never shown, never logged.</summary>
    public string Value { get; set; } = "";

    /// <summary>Opens a PKCS#12 file. Never shown, never logged.</summary>
    public string Password { get; set; } = "";

    /// <summary>A file that holds the password.</summary>
    public string PasswordFile { get; set; } = "";
}

/// <summary>Section <c>IdentityServer:MasterKey</c>: the key that seals. Development falls back to the file <c>keys-dev/master.key</c>.</summary>
public sealed class MasterKeySettings : MasterKeySourceSettings
{
    /// <summary>Keys that open what they once sealed, and seal nothing: for the time of a rotation.</summary>
    public IList<MasterKeySourceSettings> Previous { get; set; } = [];
}

/// <summary>Section <c>IdentityServer:Brand</c>: the values a deployment sets on the hosted pages.</summary>
public sealed class BrandSettings
{
    public string Name { get; set; } = "IdentityServer";

    /// <summary>A CSS colour, <c>#rrggbb</c>.</summary>
    public string? Accent { get; set; }

    /// <summary>How round corners are: <c>0</c> or a CSS length.</summary>
    public string? Radius { get; set; }

    /// <summary>Names of fonts installed on people's devices, separated by commas.</summary>
    public string? Font { get; set; }

    /// <summary>The path of a square logo (.svg, .png, .webp; at most 16 KiB) that stands on a dark ground.</summary>
    public string? Logo { get; set; }

    /// <summary>Where people find help; a mailto: or https: address.</summary>
    public string? HelpUrl { get; set; }

    public string? PrivacyUrl { get; set; }
}

/// <summary>Section <c>IdentityServer:Proxies</c>: whose forwarded headers are believed. Nobody's by default.</summary>
public sealed class ProxySettings
{
    /// <summary>Addresses or networks in CIDR form, e.g. <c>10.0.0.5</c> or <c>10.0.0.0/24</c>.</summary>
    public IList<string> Trusted { get; set; } = [];
}

/// <summary>Section <c>IdentityServer:Tokens</c>: what holds for every client.</summary>
public sealed class TokenSettings
{
    /// <summary>How long a retry of a refresh token just spent gets the same successor back; zero: any second use ends the grant.</summary>
    public TimeSpan RefreshGrace { get; set; } = TimeSpan.FromSeconds(10);
}

/// <summary>Section <c>IdentityServer:Keys</c>: how long signing keys live (docs/keys.md).</summary>
public sealed class KeySettings
{
    /// <summary>From one rollover to the next, where no plan of an algorithm says otherwise.</summary>
    public TimeSpan RotationInterval { get; set; } = TimeSpan.FromDays(90);

    /// <summary>How long a key is announced before it signs, at least.</summary>
    public TimeSpan Lead { get; set; } = TimeSpan.FromHours(24);

    /// <summary>How long a key stays published after its successor signs.</summary>
    public TimeSpan Retiring { get; set; } = TimeSpan.FromHours(24);

    /// <summary>How long after that its private part is kept.</summary>
    public TimeSpan ErasureMargin { get; set; } = TimeSpan.FromHours(24);

    /// <summary>As the protocol takes it.</summary>
    public KeyPolicy ToPolicy() => new()
    {
        RotationInterval = RotationInterval,
        Lead = Lead,
        Retiring = Retiring,
        ErasureMargin = ErasureMargin,
    };
}

/// <summary>Section <c>IdentityServer:Passkeys</c>: where passkeys work (docs/passkeys.md).</summary>
public sealed class PasskeySettings
{
    /// <summary>The RP ID. Filled in with the host of the issuer; stays empty where that is an address, and there are no passkeys then.</summary>
    public string RelyingPartyId { get; set; } = "";

    /// <summary>Origins whose pages may use them, besides the issuer.</summary>
    public IList<string> Origins { get; set; } = [];
}

/// <summary>Section <c>IdentityServer:SignIn</c>: how people sign in (docs/sign-in.md).</summary>
public sealed class SignInSettings
{
    /// <summary>Everybody signs in with two factors; who has only one enrols another first.</summary>
    public bool RequireSecondFactor { get; set; }

    /// <summary>How long a device is spared the second factor when a person asks for it; zero: never.</summary>
    public TimeSpan RememberDevice { get; set; } = TimeSpan.FromDays(30);

    /// <summary>How many passwords are checked at once. Default: one less than there are processors.</summary>
    public int HashingWidth { get; set; } = Math.Max(1, Environment.ProcessorCount - 1);
}

/// <summary>Section <c>IdentityServer:Mail</c>: how mail leaves this server (docs/mail.md). Without a mail server it is off, but in Development.</summary>
public sealed class MailSettings
{
    /// <summary>The address that mails come from.</summary>
    public string From { get; set; } = "";

    /// <summary>The name beside it. Empty: the brand's.</summary>
    public string FromName { get; set; } = "";

    public SmtpSettings Smtp { get; set; } = new();

    /// <summary>Where Development puts mails while there is no mail server.</summary>
    public string Folder { get; set; } = "";
}

/// <summary>Section <c>IdentityServer:Mail:Smtp</c>: the mail server.</summary>
public sealed class SmtpSettings
{
    /// <summary>Empty: there is none.</summary>
    public string Host { get; set; } = "";

    public int Port { get; set; } = 587;

    public SmtpTls Tls { get; set; } = SmtpTls.StartTls;

    public string UserName { get; set; } = "";

    /// <summary>Never shown, never logged.</summary>
    public string Password { get; set; } = "";

    /// <summary>A file that holds the password.</summary>
    public string PasswordFile { get; set; } = "";

    /// <summary>How long the mail server may take for one mail.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);
}

/// <summary>How the connection to the mail server is kept private.</summary>
public enum SmtpTls
{
    /// <summary>Encrypted by STARTTLS (RFC 3207), or not at all used.</summary>
    StartTls,

    /// <summary>In the clear: for a mail server on this machine or in a network that nobody else reads.</summary>
    None,
}

/// <summary>Section <c>IdentityServer:Risk</c>: signs that a sign-in is somebody else's (docs/sign-in.md).</summary>
public sealed class RiskSettings
{
    /// <summary>A CSV file that says where addresses are; without one, nobody travels impossibly.</summary>
    public string LocationFile { get; set; } = "";

    /// <summary>Such a sign-in takes a second factor also on a device that is spared it.</summary>
    public bool StepUp { get; set; } = true;
}

/// <summary>Section <c>IdentityServer:Accounts</c>: how accounts come about.</summary>
public sealed class AccountSettings
{
    /// <summary>People may open an account by themselves, with an address that they prove. Default: in Development only.</summary>
    public bool? Registration { get; set; }
}
