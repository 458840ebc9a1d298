using System.Buffers.Text;
using System.Data.Common;
using System.Globalization;
using System.Net;
using IdentityServer.Layout;
using IdentityServer.Mail;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Keys;
using IdentityServer.Risk;
using IdentityServer.Storage;
using Microsoft.Data.SqlClient;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace IdentityServer.Configuration;

/// <summary>Reads the section <c>IdentityServer</c>, checks every value, and fills in the defaults. Whoever holds the result has nothing left to check.</summary>
public static class SettingsReader
{
    internal const string UrlsKey = "urls";

    private const string Section = "IdentityServer";
    internal const string IssuerKey = $"{Section}:Issuer";
    private const string ConnectionStringKey = $"{DatabaseKey}:ConnectionString";
    internal const string DatabaseKey = $"{Section}:Database";
    private const string PasskeysKey = $"{Section}:Passkeys";
    internal const string MasterKeyKey = $"{Section}:MasterKey";
    internal const string MailKey = $"{Section}:Mail";
    private const string DefaultUrl = "http://localhost:5000";

    /// <exception cref="SettingsException">Something is wrong; it names every problem at once.</exception>
    public static ServerSettings Read(IConfiguration configuration, IHostEnvironment environment)
    {
        var (settings, problems) = Examine(configuration, environment);
        return problems.Count == 0 ? settings : throw new SettingsException(problems);
    }

    /// <summary>The same for whoever looks at the problems; a section that none of them names can be used.</summary>
    internal static (ServerSettings Settings, IReadOnlyList<SettingProblem> Problems) Examine(
        IConfiguration configuration, IHostEnvironment environment)
    {
        var settings = new ServerSettings();
        var problems = new List<SettingProblem>();
        SettingsBinder.Bind(configuration.GetSection(Section), settings, problems);

        CheckIssuer(settings, ListeningUrls(configuration, problems), environment, problems);
        CheckDatabase(settings.Database, environment, problems);
        CheckMasterKey(settings.MasterKey, environment, problems);
        CheckProxies(settings.Proxies, problems);
        CheckTokens(settings.Tokens, problems);
        CheckKeys(settings.Keys, problems);
        CheckPasskeys(settings.Passkeys, settings.Issuer, problems);
        CheckSignIn(settings.SignIn, problems);
        CheckRisk(settings.Risk, environment, problems);
        CheckBrand(settings.Brand, environment, problems);
        CheckMail(settings, environment, problems);
        CheckMetrics(settings.Metrics, problems);
        settings.Accounts.Registration ??= environment.IsDevelopment();

        return (settings, problems);
    }

    // In the order in which Kestrel would listen.
    private static BindingAddress[] ListeningUrls(IConfiguration configuration, List<SettingProblem> problems)
    {
        var endpoints = configuration.GetSection("Kestrel:Endpoints").GetChildren().Select(endpoint => endpoint["Url"]).OfType<string>();
        var ports = Ports("http").Concat(Ports("https"));
        var urls = configuration[UrlsKey] is { Length: > 0 } given ? given : string.Join(';', endpoints.Concat(ports));
        var addresses = new List<BindingAddress>();
        foreach (var url in urls.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (AddressNamed(url) is { } address)
            {
                addresses.Add(address);
            }
            else
            {
                problems.Add(new(UrlsKey, $"has the address “{Identifiers.Shown(url)}”, which cannot be read. Write http://HOST:PORT, several separated by semicolons."));
            }
        }

        return addresses.Count > 0 ? [.. addresses] : [BindingAddress.Parse(DefaultUrl)];

        IEnumerable<string> Ports(string scheme) => (configuration[$"{scheme}_ports"] ?? "")
            .Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(port => $"{scheme}://*:{port}");
    }

    private static BindingAddress? AddressNamed(string url)
    {
        try
        {
            // BindingAddress takes a port that is no number for a part of the host.
            var address = BindingAddress.Parse(url);
            return address.IsUnixPipe || address.IsNamedPipe || Uri.IsWellFormedUriString(Text(address), UriKind.Absolute) ? address : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static void CheckIssuer(
        ServerSettings settings, BindingAddress[] listening, IHostEnvironment environment, List<SettingProblem> problems)
    {
        if (settings.Issuer.Length > 0)
        {
            if (IssuerFault(settings.Issuer) is { } fault)
            {
                problems.Add(new(IssuerKey, $"is “{Identifiers.Shown(settings.Issuer)}”: {fault}"));
            }
        }
        else if (!environment.IsDevelopment())
        {
            problems.Add(new(IssuerKey, "is missing. Set the public address of this server, such as https://id.example.com."));
        }
        else if (listening[0] is { IsUnixPipe: false, IsNamedPipe: false, Port: > 0 } first)
        {
            settings.Issuer = AddressOf(first);
            if (IssuerFault(settings.Issuer) is { } fault)
            {
                problems.Add(new(IssuerKey, $"is missing, and the listening address {settings.Issuer} cannot serve as one: {fault}"));
            }
        }
        else
        {
            problems.Add(new(IssuerKey, "is missing, and the listening address has no fixed port to take it from. Set it, such as http://localhost:5000."));
        }
    }

    private static string AddressOf(BindingAddress address) => new Uri(Text(address)).GetLeftPart(UriPartial.Authority);

    private static string Text(BindingAddress address)
    {
        var host = address.Host is "*" or "+" or "0.0.0.0" or "[::]" ? "localhost" : address.Host;
        return $"{address.Scheme}://{host}:{address.Port}";
    }

    // OpenID Connect Discovery §3: https, no query, no fragment. Exactly one spelling, because clients compare it letter by letter.
    private static string? IssuerFault(string issuer)
    {
        if (!Uri.TryCreate(issuer, UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http") || uri.Host.Length == 0)
        {
            return "it must be an absolute address, such as https://id.example.com.";
        }

        if (uri.Query.Length > 0 || uri.Fragment.Length > 0 || issuer.Contains('?', StringComparison.Ordinal) || issuer.Contains('#', StringComparison.Ordinal))
        {
            return "it must have no query and no fragment.";
        }

        if (uri.UserInfo.Length > 0)
        {
            return "it must not name a user.";
        }

        if (issuer.EndsWith('/'))
        {
            return "it must not end with a slash.";
        }

        if (uri.AbsolutePath != "/")
        {
            return "it must have no path: the server answers at the root of its host.";
        }

        if (uri.Scheme == "http" && !RedirectUriRules.IsLoopback(uri.Host))
        {
            return "plain http is only for this machine (localhost, 127.0.0.1, [::1]); use https.";
        }

        var canonical = $"{uri.Scheme}://{uri.IdnHost}{(uri.IsDefaultPort ? "" : $":{uri.Port}")}";
        canonical = uri.HostNameType == UriHostNameType.IPv6 ? uri.GetLeftPart(UriPartial.Authority) : canonical;
        return issuer == canonical ? null : $"write it as {canonical}.";
    }

    private static void CheckDatabase(DatabaseSettings database, IHostEnvironment environment, List<SettingProblem> problems)
    {
        try
        {
            var fault = database.Provider switch
            {
                DatabaseProvider.Sqlite => CheckSqlite(database, environment),
                _ when database.ConnectionString.Length == 0 => $"is missing: {database.Provider} has no default. Example: {Example(database.Provider)}",
                DatabaseProvider.PostgreSql => new NpgsqlConnectionStringBuilder(database.ConnectionString).Host is { Length: > 0 } ? null : "names no Host.",
                DatabaseProvider.SqlServer => new SqlConnectionStringBuilder(database.ConnectionString).DataSource.Length > 0 ? null : "names no Server.",
                _ => throw new InvalidOperationException($"No rules for {database.Provider}."),
            };
            if (fault is not null)
            {
                problems.Add(new(ConnectionStringKey, fault));
            }
        }
        catch (Exception error) when (error is ArgumentException or FormatException or KeyNotFoundException or InvalidCastException or DbException)
        {
            // Neither the text nor the driver's message is repeated: they may hold the password.
            problems.Add(new(ConnectionStringKey, $"is not a connection string of {database.Provider}. Example: {Example(database.Provider)}"));
        }
    }

    private static string? CheckSqlite(DatabaseSettings database, IHostEnvironment environment)
    {
        if (database.ConnectionString.Length == 0)
        {
            database.ConnectionString = new SqliteConnectionStringBuilder
            {
                DataSource = Path.Combine(ServerFolders.Data(environment), "identityserver.db"),
            }.ToString();
            return null;
        }

        var parsed = new SqliteConnectionStringBuilder(database.ConnectionString);
        if (parsed.DataSource is "" or ":memory:" || parsed.Mode == SqliteOpenMode.Memory)
        {
            return "names no file. A database in memory would lose everything at the end; use Data Source=PATH.";
        }

        if (!parsed.DataSource.StartsWith("file:", StringComparison.OrdinalIgnoreCase))
        {
            parsed.DataSource = Path.GetFullPath(parsed.DataSource, environment.ContentRootPath);
            database.ConnectionString = parsed.ToString();
        }

        return null;
    }

    private static string Example(DatabaseProvider provider) => provider switch
    {
        DatabaseProvider.Sqlite => "Data Source=data/identityserver.db",
        DatabaseProvider.PostgreSql => "Host=db.example.com;Database=identity;Username=identity;Password=…",
        _ => "Server=db.example.com;Database=identity;User Id=identity;Password=…;Encrypt=True",
    };

    private static void CheckMasterKey(MasterKeySettings masterKey, IHostEnvironment environment, List<SettingProblem> problems)
    {
        if (masterKey is { Path: "", Value: "" } && environment.IsDevelopment())
        {
            masterKey.Path = Path.Combine(ServerFolders.DevelopmentKeys(environment), "master.key");
        }

        CheckSource(masterKey, MasterKeyKey, environment, problems);

        // All empty counts as none, as everywhere.
        masterKey.Previous = [.. masterKey.Previous.Where(source => source is not { Path: "", Value: "", Password: "", PasswordFile: "" })];
        for (var index = 0; index < masterKey.Previous.Count; index++)
        {
            CheckSource(masterKey.Previous[index], $"{MasterKeyKey}:Previous:{index}", environment, problems);
        }
    }

    private static void CheckSource(
        MasterKeySourceSettings source, string key, IHostEnvironment environment, List<SettingProblem> problems)
    {
        switch (source)
        {
            case { Path: "", Value: "" }:
                problems.Add(new(
                    $"{key}:Path",
                    "is missing. Make a master key with: identityserver keys master-key new PATH — and set its path; or put its text into "
                    + $"{key}:Value."));
                break;
            case { Path.Length: > 0, Value.Length: > 0 }:
                problems.Add(new($"{key}:Value", $"is set, and so is {key}:Path. Exactly one of them says where the key is: remove the other."));
                break;
            case { Value.Length: > 0, Password.Length: > 0 } or { Value.Length: > 0, PasswordFile.Length: > 0 }:
                problems.Add(new(
                    source.Password.Length > 0 ? $"{key}:Password" : $"{key}:PasswordFile",
                    $"is set, but only a PKCS#12 file has a password, and {key}:Value holds the key's text. Remove one of them."));
                break;
        }

        if (source is { Password.Length: > 0, PasswordFile.Length: > 0 })
        {
            problems.Add(new($"{key}:PasswordFile", $"is set, and so is {key}:Password. Remove one of them."));
        }

        source.Path = Full(source.Path);
        source.PasswordFile = Full(source.PasswordFile);

        string Full(string path) => path.Length > 0 ? Path.GetFullPath(path, environment.ContentRootPath) : "";
    }

    private static void CheckProxies(ProxySettings proxies, List<SettingProblem> problems)
    {
        for (var index = 0; index < proxies.Trusted.Count; index++)
        {
            var proxy = proxies.Trusted[index];
            if (proxy.Contains('/', StringComparison.Ordinal) ? !IPNetwork.TryParse(proxy, out _) : !IPAddress.TryParse(proxy, out _))
            {
                problems.Add(new(
                    $"{Section}:Proxies:Trusted:{index}",
                    $"is “{Identifiers.Shown(proxy)}”. Allowed: an address (10.0.0.5) or a network (10.0.0.0/24)."));
            }
        }
    }

    // Long enough for a client that waits for a restart; longer would only help a thief.
    private static void CheckTokens(TokenSettings tokens, List<SettingProblem> problems)
    {
        if (tokens.RefreshGrace < TimeSpan.Zero || tokens.RefreshGrace > TimeSpan.FromMinutes(2))
        {
            problems.Add(new(
                $"{Section}:Tokens:RefreshGrace", $"is “{tokens.RefreshGrace:c}”. Allowed: 00:00:00 to 00:02:00 (hours:minutes:seconds)."));
        }
    }

    private static void CheckRisk(RiskSettings risk, IHostEnvironment environment, List<SettingProblem> problems)
    {
        if (risk.LocationFile.Length == 0)
        {
            return;
        }

        risk.LocationFile = Path.GetFullPath(risk.LocationFile, environment.ContentRootPath);
        try
        {
            RangeFile.Read(risk.LocationFile);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or FormatException)
        {
            problems.Add(new($"{Section}:Risk:LocationFile", fault is FormatException ? fault.Message : "names a file that cannot be read."));
        }
    }

    private static void CheckSignIn(SignInSettings signIn, List<SettingProblem> problems)
    {
        if (signIn.RememberDevice < TimeSpan.Zero || signIn.RememberDevice > TimeSpan.FromDays(90))
        {
            problems.Add(new(
                $"{Section}:SignIn:RememberDevice",
                $"is “{signIn.RememberDevice:c}”. Allowed: 00:00:00 (never) to 90.00:00:00 (days.hours:minutes:seconds)."));
        }

        if (signIn.HashingWidth is < 1 or > 256)
        {
            problems.Add(new($"{Section}:SignIn:HashingWidth", $"is “{signIn.HashingWidth}”. Allowed: 1 to 256."));
        }
    }

    private static void CheckKeys(KeySettings keys, List<SettingProblem> problems)
    {
        Check("Lead", keys.Lead, KeyPolicy.ShortestLead, TimeSpan.FromDays(30));
        Check("Retiring", keys.Retiring, KeyPolicy.ShortestRetiring, TimeSpan.FromDays(30));
        Check("ErasureMargin", keys.ErasureMargin, TimeSpan.Zero, TimeSpan.FromDays(30));
        Check("RotationInterval", keys.RotationInterval, keys.Lead + keys.Retiring, TimeSpan.FromDays(730));

        void Check(string name, TimeSpan value, TimeSpan shortest, TimeSpan longest)
        {
            if (value < shortest || value > longest)
            {
                problems.Add(new(
                    $"{Section}:Keys:{name}", $"is “{value:c}”. Allowed: {shortest:c} to {longest:c} (days.hours:minutes:seconds)."));
            }
        }
    }

    // WebAuthn Level 3 §5.1.3, §13.4.9: the RP ID is the host of the page or a domain it lies in, and never an address.
    private static void CheckPasskeys(PasskeySettings passkeys, string issuer, List<SettingProblem> problems)
    {
        if (IssuerFault(issuer) is not null)
        {
            return;
        }

        var server = new Uri(issuer);
        var isNamed = server.HostNameType == UriHostNameType.Dns;
        var id = passkeys.RelyingPartyId;
        if (id.Length == 0)
        {
            id = passkeys.RelyingPartyId = isNamed ? server.IdnHost : "";
        }
        else if (!isNamed || !IsWithin(server.IdnHost, id) || (id != server.IdnHost && !id.Contains('.', StringComparison.Ordinal)))
        {
            problems.Add(new(
                $"{PasskeysKey}:RelyingPartyId",
                $"is “{Identifiers.Shown(id)}”. Allowed: the host of the issuer ({server.IdnHost}) or a domain it lies in; and with an address there are no passkeys."));
            return;
        }

        for (var index = 0; index < passkeys.Origins.Count; index++)
        {
            if (!IsOrigin(passkeys.Origins[index], id))
            {
                problems.Add(new(
                    $"{PasskeysKey}:Origins:{index}",
                    $"is “{Identifiers.Shown(passkeys.Origins[index])}”. Allowed: https://HOST, with :PORT if unusual, where HOST is {id} or lies in it; or android:apk-key-hash:HASH."));
            }
        }
    }

    private static bool IsOrigin(string origin, string relyingPartyId)
    {
        const string Android = "android:apk-key-hash:";
        if (origin.StartsWith(Android, StringComparison.Ordinal))
        {
            // SHA-256 of the certificate, base64url.
            return origin.Length == Android.Length + 43 && Base64Url.IsValid(origin.AsSpan(Android.Length));
        }

        return IssuerFault(origin) is null && IsWithin(new Uri(origin).IdnHost, relyingPartyId);
    }

    private static bool IsWithin(string host, string domain) =>
        domain.Length > 0 && (host == domain || host.EndsWith('.' + domain, StringComparison.Ordinal));

    private static void CheckBrand(BrandSettings brand, IHostEnvironment environment, List<SettingProblem> problems)
    {
        brand.Logo = brand.Logo is { } logo ? Path.GetFullPath(logo, environment.ContentRootPath) : null;
        if (Identifiers.DisplayFault(brand.Name, 60) is { } fault)
        {
            problems.Add(new($"{Section}:Brand:Name", fault));
        }

        Check("Accent", brand.Accent, IsColour, "a colour such as #0b5fff (#rrggbb)");
        Check("Radius", brand.Radius, IsLength, "0, or a length in px or rem, such as 6px or .375rem");
        Check("Font", brand.Font, IsFonts, "names of installed fonts, separated by commas");
        Check("Logo", brand.Logo, Brand.IsLogo, $"the path of an .svg, .png or .webp file of at most {Brand.LargestLogo / 1024} KiB");
        Check("HelpUrl", brand.HelpUrl, IsHelp, "an https: or mailto: address");
        Check("PrivacyUrl", brand.PrivacyUrl, IsHelp, "an https: or mailto: address");

        void Check(string name, string? value, Func<string, bool> isRight, string allowed)
        {
            if (value is not null && !isRight(value))
            {
                problems.Add(new($"{Section}:Brand:{name}", $"is “{Identifiers.Shown(value)}”. Allowed: {allowed}."));
            }
        }
    }

    private static void CheckMetrics(MetricsSettings metrics, List<SettingProblem> problems)
    {
        // It is sent in a header, so it has the characters of one (RFC 6750 §2.1).
        if (metrics.Token.Length > 0 && (metrics.Token.Length < 32 || metrics.Token.Any(one => !char.IsAsciiLetterOrDigit(one) && !"-._~+/=".Contains(one, StringComparison.Ordinal))))
        {
            problems.Add(new($"{Section}:Metrics:Token", "is too easy to guess. Allowed: 32 characters or more, of letters, digits and -._~+/=, such as the output of: openssl rand -hex 32"));
        }
    }

    private static void CheckMail(ServerSettings settings, IHostEnvironment environment, List<SettingProblem> problems)
    {
        var (mail, smtp) = (settings.Mail, settings.Mail.Smtp);
        if (mail.FromName.Length > 0 && Identifiers.DisplayFault(mail.FromName, 60) is { } fault)
        {
            problems.Add(new($"{MailKey}:FromName", fault));
        }

        if (mail.From.Length > 0 && !MailAddresses.IsPossible(mail.From))
        {
            problems.Add(new($"{MailKey}:From", $"is “{Identifiers.Shown(mail.From)}”. Allowed: an e-mail address, such as id@example.com."));
        }

        mail.Folder = mail.Folder.Length > 0
            ? Path.GetFullPath(mail.Folder, environment.ContentRootPath)
            : Path.Combine(ServerFolders.Data(environment), "mail");
        smtp.PasswordFile = smtp.PasswordFile.Length > 0 ? Path.GetFullPath(smtp.PasswordFile, environment.ContentRootPath) : "";
        if (smtp.Host.Length > 0)
        {
            CheckSmtp(mail, problems);
        }
        else if (smtp is { UserName.Length: > 0 } or { Password.Length: > 0 } or { PasswordFile.Length: > 0 })
        {
            problems.Add(new($"{MailKey}:Smtp:Host", "is missing, though other settings of a mail server are there. Set it, such as mail.example.com."));
        }

        // Nobody answers what Development writes into its folder.
        mail.From = mail.From.Length > 0 ? mail.From : "identity@localhost";
    }

    private static void CheckSmtp(MailSettings mail, List<SettingProblem> problems)
    {
        var smtp = mail.Smtp;
        if (mail.From.Length == 0)
        {
            problems.Add(new($"{MailKey}:From", "is missing: mails need an address that they come from, such as id@example.com."));
        }

        if (Uri.CheckHostName(smtp.Host) == UriHostNameType.Unknown)
        {
            problems.Add(new($"{MailKey}:Smtp:Host", $"is “{Identifiers.Shown(smtp.Host)}”. Allowed: the name or address of a mail server, without port."));
        }

        if (smtp.Port is < 1 or > 65535)
        {
            problems.Add(new($"{MailKey}:Smtp:Port", $"is “{smtp.Port}”. Allowed: 1 to 65535."));
        }

        if (smtp.Timeout < TimeSpan.FromSeconds(1) || smtp.Timeout > TimeSpan.FromMinutes(2))
        {
            problems.Add(new($"{MailKey}:Smtp:Timeout", $"is “{smtp.Timeout:c}”. Allowed: 00:00:01 to 00:02:00 (hours:minutes:seconds)."));
        }

        if (smtp is { Password.Length: > 0, PasswordFile.Length: > 0 })
        {
            problems.Add(new($"{MailKey}:Smtp:PasswordFile", $"is set, and so is {MailKey}:Smtp:Password. Remove one of them."));
        }

        if (smtp.UserName.Length > 0 != (smtp is { Password.Length: > 0 } or { PasswordFile.Length: > 0 }))
        {
            problems.Add(new($"{MailKey}:Smtp:UserName", "and a password belong together: set UserName and Password (or PasswordFile), or none of them."));
        }

        if (smtp is { UserName.Length: > 0, Tls: SmtpTls.None } && !RedirectUriRules.IsLoopback(smtp.Host))
        {
            problems.Add(new($"{MailKey}:Smtp:Tls", "is None, and the password would travel in the clear. Use StartTls."));
        }
    }

    private static bool IsHelp(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri)
        && (uri.Scheme is "https" or "mailto" || (uri.Scheme == "http" && uri.IsLoopback))
        && !address.Any(char.IsWhiteSpace);

    private static bool IsLength(string value)
    {
        var number = value.EndsWith("px", StringComparison.Ordinal) ? value[..^2]
            : value.EndsWith("rem", StringComparison.Ordinal) ? value[..^3]
            : value == "0" ? value : "";
        return decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var length) && length <= 100;
    }

    private static bool IsFonts(string value) =>
        value.Length <= 200
        && value.Split(',', StringSplitOptions.TrimEntries).All(name =>
            name.Length > 0 && name.All(letter => char.IsLetterOrDigit(letter) || letter is ' ' or '-' or '_'));

    private static bool IsColour(string value) => value is ['#', ..] and { Length: 7 } && value.Skip(1).All(char.IsAsciiHexDigit);
}
