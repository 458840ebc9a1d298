using IdentityServer.Configuration;
using IdentityServer.Storage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;

namespace IdentityServer.ProtocolTests.Configuration;

public sealed class SettingsReaderTests
{
    [Fact]
    public void Development_needs_no_settings()
    {
        var settings = Read(Development);

        Assert.Equal("http://localhost:5000", settings.Issuer);
        Assert.Equal(DatabaseProvider.Sqlite, settings.Database.Provider);
        Assert.Equal("Data Source=/srv/app/data/identityserver.db", settings.Database.ConnectionString);
        Assert.Equal("/srv/app/keys-dev/master.key", settings.MasterKey.Path);
    }

    [Theory]
    [InlineData("http://localhost:7000", "http://localhost:7000")]
    [InlineData("http://127.0.0.1:7000/", "http://127.0.0.1:7000")]
    [InlineData("http://*:7000;https://*:7001", "http://localhost:7000")]
    [InlineData("http://0.0.0.0:80", "http://localhost")]
    [InlineData("http://[::]:7000", "http://localhost:7000")]
    [InlineData("https://+:443", "https://localhost")]
    public void In_Development_the_issuer_follows_the_first_address(string urls, string issuer)
    {
        Assert.Equal(issuer, Read(Development, ("urls", urls)).Issuer);
    }

    [Fact]
    public void Ports_and_Kestrel_endpoints_count_as_addresses()
    {
        Assert.Equal("http://localhost:8080", Read(Development, ("http_ports", "8080")).Issuer);
        Assert.Equal("https://localhost:7443", Read(Development, ("Kestrel:Endpoints:Main:Url", "https://localhost:7443")).Issuer);
    }

    [Theory]
    [InlineData("http://127.0.0.1:0")]
    [InlineData("http://unix:/run/identity.sock")]
    [InlineData("http://192.0.2.7:5000")]
    public void An_address_that_cannot_be_an_issuer_asks_for_one(string urls)
    {
        AssertProblem("IdentityServer:Issuer", "is missing", Development, ("urls", urls));
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("localhost:5000")]
    [InlineData("http://localhost:port")]
    public void An_unreadable_listening_address_is_named(string urls)
    {
        AssertProblem("urls", "cannot be read", Development, ("urls", urls));
    }

    [Theory]
    [InlineData("https://id.example.com")]
    [InlineData("https://id.example.com:8443")]
    [InlineData("http://localhost:5000")]
    [InlineData("http://127.0.0.1:5000")]
    [InlineData("http://[::1]:5000")]
    public void An_issuer_is_one_exact_address(string issuer)
    {
        Assert.Equal(issuer, ReadWithIssuer(issuer).Issuer);
    }

    [Theory]
    [InlineData("id.example.com", "absolute")]
    [InlineData("/", "absolute")]
    [InlineData("ftp://id.example.com", "absolute")]
    [InlineData("https://id.example.com/", "slash")]
    [InlineData("https://id.example.com?x=1", "query")]
    [InlineData("https://id.example.com?", "query")]
    [InlineData("https://id.example.com#top", "fragment")]
    [InlineData("https://id.example.com#", "fragment")]
    [InlineData("https://me@id.example.com", "user")]
    [InlineData("https://id.example.com/tenant", "no path")]
    [InlineData("http://id.example.com", "use https")]
    [InlineData("http://127.0.0.2", "use https")]
    [InlineData("https://ID.example.com", "write it as https://id.example.com")]
    [InlineData("https://id.example.com:443", "write it as https://id.example.com")]
    [InlineData("https://bücher.example", "write it as https://xn--bcher-kva.example")]
    public void Any_other_issuer_is_refused(string issuer, string reason)
    {
        var problem = Assert.Single(Assert.Throws<SettingsException>(() => ReadWithIssuer(issuer)).Problems);
        Assert.Equal("IdentityServer:Issuer", problem.Key);
        Assert.Contains(reason, problem.Fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Outside_Development_issuer_and_master_key_must_be_said()
    {
        var problems = Assert.Throws<SettingsException>(() => Read(Production)).Problems;

        Assert.Equal(["IdentityServer:Issuer", "IdentityServer:MasterKey:Path"], problems.Select(problem => problem.Key));
        Assert.Contains("identityserver keys master-key new", problems[1].Fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("IdentityServer:Isuer", "Did you mean IdentityServer:Issuer?")]
    [InlineData("IdentityServer:Databse:Provider", "Did you mean IdentityServer:Database?")]
    [InlineData("IdentityServer:Database:Conection", "IdentityServer:Database holds: Provider, ConnectionString")]
    [InlineData("IdentityServer:Database:ConectionString", "Did you mean IdentityServer:Database:ConnectionString?")]
    [InlineData("IdentityServer:MasterKey", "is a group of settings")]
    [InlineData("IdentityServer:Issuer:Url", "is a single value")]
    [InlineData("IdentityServer:MasterKey:Pasword", "Did you mean IdentityServer:MasterKey:Password?")]
    [InlineData("IdentityServer:MasterKey:Password:0", "is a single value")]
    [InlineData("IdentityServer:MasterKey:Previous", "is a list of groups")]
    [InlineData("IdentityServer:MasterKey:Previous:0", "is a group of settings")]
    [InlineData("IdentityServer:MasterKey:Previous:Path", "is a list")]
    [InlineData("IdentityServer:MasterKey:Previous:0:Pfad", "IdentityServer:MasterKey:Previous:0 holds: Path, Value, Password, PasswordFile")]
    [InlineData("IdentityServer:Proxies:Trusted:first", "is a list")]
    [InlineData("IdentityServer:Something:Else", "IdentityServer holds: Issuer, Database")]
    public void A_key_that_is_no_setting_is_refused_with_the_nearest(string key, string advice)
    {
        var text = Assert.Throws<SettingsException>(() => Read(Development, (key, "x"))).Message;

        Assert.Contains(advice, text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_problem_names_the_setting_in_both_spellings()
    {
        var text = Assert.Throws<SettingsException>(() => Read(Development, ("IdentityServer:Database:Provider", "Postgres"))).Message;

        Assert.Contains("IdentityServer:Database:Provider (environment: IdentityServer__Database__Provider)", text, StringComparison.Ordinal);
        Assert.Contains("“Postgres”. Allowed: Sqlite, PostgreSql, SqlServer.", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_of_providers_are_read_in_any_case()
    {
        Assert.Equal(DatabaseProvider.Sqlite, Read(Development, ("IdentityServer:Database:Provider", "SQLITE")).Database.Provider);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("Sqlite,PostgreSql")]
    public void A_provider_is_a_name_not_a_number(string written)
    {
        AssertProblem("IdentityServer:Database:Provider", "Allowed", Development, ("IdentityServer:Database:Provider", written));
    }

    [Theory]
    [InlineData("PostgreSql", "", "is missing")]
    [InlineData("SqlServer", "", "is missing")]
    [InlineData("PostgreSql", "Database=identity;Password=hush", "names no Host")]
    [InlineData("PostgreSql", "Hosst=x;Password=hush", "is not a connection string of PostgreSql")]
    [InlineData("PostgreSql", "Host=x;Port=many;Password=hush", "is not a connection string of PostgreSql")]
    [InlineData("SqlServer", "Database=identity;Password=hush", "names no Server")]
    [InlineData("SqlServer", "hush", "is not a connection string of SqlServer")]
    [InlineData("Sqlite", "Filename=;Password=hush", "names no file")]
    [InlineData("Sqlite", "Data Source=:memory:", "names no file")]
    [InlineData("Sqlite", "Data Source=x;Mode=Memory", "names no file")]
    [InlineData("Sqlite", "hush", "is not a connection string of Sqlite")]
    public void A_connection_string_fits_its_provider_and_is_never_repeated(string provider, string text, string reason)
    {
        var problems = Assert.Throws<SettingsException>(() => Read(
            Development, ("IdentityServer:Database:Provider", provider), ("IdentityServer:Database:ConnectionString", text)));

        Assert.Contains(reason, Assert.Single(problems.Problems).Fault, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", problems.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("hush")]
    [InlineData("hush567890123456789012345678901")]
    [InlineData("hush5678901234567890123456789012 and more")]
    [InlineData("hush5678901234567890123456789012ü")]
    public void A_token_for_metrics_is_long_and_fits_into_a_header(string token)
    {
        var problems = Assert.Throws<SettingsException>(() => Read(Development, ("IdentityServer:Metrics:Token", token)));

        Assert.Equal("IdentityServer:Metrics:Token", Assert.Single(problems.Problems).Key);
        Assert.DoesNotContain("hush", problems.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Relative_paths_start_at_the_content_root()
    {
        var settings = Read(
            Development,
            ("IdentityServer:Database:ConnectionString", "Data Source=db/one.db;Cache=Shared"),
            ("IdentityServer:MasterKey:Path", "../keys/master.key"));

        Assert.StartsWith("Data Source=/srv/app/db/one.db", settings.Database.ConnectionString, StringComparison.Ordinal);
        Assert.Equal("/srv/keys/master.key", settings.MasterKey.Path);
    }

    [Theory]
    [InlineData("IdentityServer:MasterKey:Value", "Exactly one", "Path=hush/master.key", "Value=hush")]
    [InlineData("IdentityServer:MasterKey:Password", "only a PKCS#12 file has a password", "Value=hush", "Password=hush")]
    [InlineData("IdentityServer:MasterKey:PasswordFile", "only a PKCS#12 file has a password", "Value=hush", "PasswordFile=hush")]
    [InlineData("IdentityServer:MasterKey:PasswordFile", "Remove one", "Path=master.pfx", "Password=hush", "PasswordFile=password")]
    [InlineData("IdentityServer:MasterKey:Previous:0:Path", "is missing", "Path=master.pfx", "Previous:0:Password=hush")]
    [InlineData("IdentityServer:MasterKey:Previous:1:Value", "Exactly one", "Previous:0:Path=a", "Previous:1:Path=b", "Previous:1:Value=hush")]
    public void A_master_key_has_one_source_and_its_secrets_are_never_repeated(string key, string reason, params string[] settings)
    {
        var error = Assert.Throws<SettingsException>(() => Read(
            Development, [.. settings.Select(setting => setting.Split('=')).Select(pair => ($"IdentityServer:MasterKey:{pair[0]}", pair[1]))]));

        var problem = Assert.Single(error.Problems);
        Assert.Equal(key, problem.Key);
        Assert.Contains(reason, problem.Fault, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_master_key_may_be_a_text_or_a_file_with_a_password_and_have_predecessors()
    {
        var masterKey = Read(
            Production,
            ("IdentityServer:Issuer", "https://id.example.com"),
            ("IdentityServer:MasterKey:Value", " -----BEGIN "),
            ("IdentityServer:MasterKey:Previous:0:Path", "old.pfx"),
            ("IdentityServer:MasterKey:Previous:0:Password", " with space "),
            ("IdentityServer:MasterKey:Previous:1:Path", ""),
            ("IdentityServer:MasterKey:Previous:10:Path", "/etc/oldest.pfx"),
            ("IdentityServer:MasterKey:Previous:10:PasswordFile", "secret")).MasterKey;

        Assert.Equal(("", "-----BEGIN"), (masterKey.Path, masterKey.Value));
        Assert.Equal(["/srv/app/old.pfx", "/etc/oldest.pfx"], masterKey.Previous.Select(previous => previous.Path));
        Assert.Equal([" with space ", ""], masterKey.Previous.Select(previous => previous.Password));
        Assert.Equal("/srv/app/secret", masterKey.Previous[1].PasswordFile);
    }

    [Fact]
    public void Proxies_are_addresses_and_networks_in_a_list_or_in_one_line()
    {
        Assert.Equal(
            ["10.0.0.5", "10.1.0.0/16", "::1"],
            Read(Development, ("IdentityServer:Proxies:Trusted", "10.0.0.5, 10.1.0.0/16,::1")).Proxies.Trusted);
        Assert.Equal(
            ["10.0.0.5", "10.1.0.0/16"],
            Read(Development, ("IdentityServer:Proxies:Trusted:0", "10.0.0.5"), ("IdentityServer:Proxies:Trusted:1", "10.1.0.0/16")).Proxies.Trusted);
    }

    [Theory]
    [InlineData("proxy.example.com")]
    [InlineData("10.0.0.0/x")]
    [InlineData("10.0.0.0/33")]
    [InlineData("300.0.0.1")]
    public void A_proxy_that_is_neither_is_refused(string proxy)
    {
        AssertProblem("IdentityServer:Proxies:Trusted:0", "Allowed", Development, ("IdentityServer:Proxies:Trusted:0", proxy));
    }

    [Theory]
    [InlineData("Accent", "red")]
    [InlineData("Accent", "#12345")]
    [InlineData("Accent", "#12345g")]
    [InlineData("Accent", "#123456;}")]
    [InlineData("Radius", "6pt")]
    [InlineData("Radius", "1px;")]
    [InlineData("Font", "a\"b")]
    [InlineData("Logo", "missing.svg")]
    [InlineData("HelpUrl", "help")]
    [InlineData("HelpUrl", "javascript:alert(1)")]
    [InlineData("PrivacyUrl", "https://example.com/a b")]
    public void Brand_values_fit_the_pages(string name, string value)
    {
        AssertProblem($"IdentityServer:Brand:{name}", "Allowed", Development, ($"IdentityServer:Brand:{name}", value));
    }

    [Fact]
    public void An_empty_value_counts_as_none()
    {
        var settings = Read(
            Development,
            ("IdentityServer:Issuer", ""),
            ("IdentityServer:Database:Provider", ""),
            ("IdentityServer:Database:ConnectionString", ""),
            ("IdentityServer:MasterKey:Path", ""));

        Assert.Equal("http://localhost:5000", settings.Issuer);
        Assert.Equal(DatabaseProvider.Sqlite, settings.Database.Provider);
    }

    [Fact]
    public void All_problems_are_told_at_once()
    {
        var problems = Assert.Throws<SettingsException>(() => Read(
            Production,
            ("IdentityServer:Database:Provider", "Oracle"),
            ("IdentityServer:Brand:Accent", "red"),
            ("IdentityServer:Nothing", "x"))).Problems;

        Assert.Equal(5, problems.Count);
    }

    private const string Development = "Development";
    private const string Production = "Production";

    [Theory]
    [InlineData("https://id.example.com", "", "id.example.com")]
    [InlineData("https://id.example.com:8443", "example.com", "example.com")]
    [InlineData("http://localhost:5000", "", "localhost")]
    [InlineData("http://localhost:5000", "localhost", "localhost")]
    [InlineData("https://intranet", "", "intranet")]
    [InlineData("http://127.0.0.1:5000", "", "")]
    [InlineData("https://[2001:db8::1]", "", "")]
    public void Passkeys_are_bound_to_the_issuers_host_or_a_domain_it_lies_in(string issuer, string given, string relyingPartyId)
    {
        var settings = ReadWithIssuer(issuer, ("IdentityServer:Passkeys:RelyingPartyId", given));

        Assert.Equal(relyingPartyId, settings.Passkeys.RelyingPartyId);
    }

    [Theory]
    [InlineData("https://id.example.com", "com")]
    [InlineData("https://id.example.com", "other.example")]
    [InlineData("https://id.example.com", "d.example.com")]
    [InlineData("https://id.example.com", "login.id.example.com")]
    [InlineData("https://id.example.com", "Example.com")]
    [InlineData("https://id.example.com", ".example.com")]
    [InlineData("https://id.example.com", "https://id.example.com")]
    [InlineData("http://127.0.0.1:5000", "127.0.0.1")]
    [InlineData("http://127.0.0.1:5000", "localhost")]
    [InlineData("https://a.localhost", "localhost")]
    public void No_other_name_can_hold_passkeys(string issuer, string relyingPartyId)
    {
        var problem = Assert.Single(Assert.Throws<SettingsException>(
            () => ReadWithIssuer(issuer, ("IdentityServer:Passkeys:RelyingPartyId", relyingPartyId))).Problems);

        Assert.Equal("IdentityServer:Passkeys:RelyingPartyId", problem.Key);
    }

    [Theory]
    [InlineData("https://app.example.com", true)]
    [InlineData("https://example.com:8443", true)]
    [InlineData("android:apk-key-hash:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", true)]
    [InlineData("android:apk-key-hash:AAAA", false)]
    [InlineData("https://app.example.com/", false)]
    [InlineData("https://evilexample.com", false)]
    [InlineData("https://example.com.evil.example", false)]
    [InlineData("http://app.example.com", false)]
    [InlineData("app.example.com", false)]
    [InlineData("*", false)]
    public void Origins_of_passkeys_lie_in_that_domain(string origin, bool isRight)
    {
        (string, string)[] settings = [("IdentityServer:Passkeys:RelyingPartyId", "example.com"), ("IdentityServer:Passkeys:Origins", origin)];

        if (isRight)
        {
            Assert.Equal([origin], ReadWithIssuer("https://id.example.com", settings).Passkeys.Origins);
            return;
        }

        var problem = Assert.Single(
            Assert.Throws<SettingsException>(() => ReadWithIssuer("https://id.example.com", settings)).Problems);
        Assert.Equal("IdentityServer:Passkeys:Origins:0", problem.Key);
    }

    private static ServerSettings ReadWithIssuer(string issuer, params (string Key, string Value)[] more) =>
        Read(Production, [("IdentityServer:Issuer", issuer), ("IdentityServer:MasterKey:Path", "/etc/identity/master.key"), .. more]);

    private static void AssertProblem(string key, string reason, string environment, params (string Key, string Value)[] values)
    {
        var problems = Assert.Throws<SettingsException>(() => Read(environment, values)).Problems;
        Assert.Contains(problems, problem => problem.Key == key && problem.Fault.Contains(reason, StringComparison.Ordinal));
    }

    private static ServerSettings Read(string environment, params (string Key, string Value)[] values) => SettingsReader.Read(
        new ConfigurationBuilder()
            .AddInMemoryCollection(values.Select(pair => KeyValuePair.Create(pair.Key, (string?)pair.Value)))
            .Build(),
        new FixedEnvironment(environment));

    private sealed class FixedEnvironment(string name) : IHostEnvironment
    {
        public string EnvironmentName { get; set; } = name;

        public string ApplicationName { get; set; } = "identityserver";

        public string ContentRootPath { get; set; } = "/srv/app";

        public IFileProvider ContentRootFileProvider { get; set; } = new NullFileProvider();
    }
}
