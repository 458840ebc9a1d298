using System.Text.RegularExpressions;
using IdentityServer.Configuration;
using IdentityServer.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace IdentityServer.ProtocolTests.Deployment;

/// <summary>
/// docker-compose.yml and deploy/Dockerfile, read without a container engine: their syntax, that they fit one another and the
/// server, and that they give away nothing. Whether the images build and run is not shown here (docs/operations.md).
/// </summary>
public sealed partial class ContainerFilesTests
{
    private static readonly string[] Instructions =
        ["FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "EXPOSE", "ENTRYPOINT", "CMD"];

    [Fact]
    public void Services_wait_for_one_another()
    {
        var services = Map(Compose()["services"]);

        Assert.Equal(["database", "master-key", "migrate", "server"], services.Keys.Cast<string>().Order(StringComparer.Ordinal));
        Assert.Equal("service_healthy", Condition(services, "migrate", "database"));
        Assert.Equal("service_completed_successfully", Condition(services, "server", "migrate"));
        Assert.All(["database", "server"], name => Assert.True(Map(services[name]).ContainsKey("healthcheck"), name));
        Assert.Equal(["keys", "master-key", "new"], Texts(Map(services["master-key"])["command"]));
        Assert.Equal(["migrate", "up"], Texts(Map(services["migrate"])["command"]));
        Assert.Equal(["serve"], Texts(Map(services["server"])["command"]));
    }

    [Fact]
    public void Every_volume_that_is_used_is_declared_and_every_file_exists()
    {
        var compose = Compose();
        var declared = Map(compose["volumes"]).Keys.Cast<string>().ToArray();
        foreach (var service in Map(compose["services"]).Values.Select(Map))
        {
            Assert.All(Texts(service.GetValueOrDefault("volumes")), volume => Assert.Contains(volume.Split(':')[0], declared));
            if (service.TryGetValue("build", out var build))
            {
                Assert.True(File.Exists(Path.Combine(Repository.Root, (string)Map(build)["dockerfile"]!)));
            }
        }
    }

    [Fact]
    public void Only_this_machine_reaches_the_server_and_nobody_the_database()
    {
        var services = Map(Compose()["services"]);

        Assert.All(Texts(Map(services["server"])["ports"]), port => Assert.StartsWith("127.0.0.1:", port, StringComparison.Ordinal));
        Assert.False(Map(services["database"]).ContainsKey("ports"));
    }

    [Theory]
    [InlineData("migrate")]
    [InlineData("server")]
    public void The_server_accepts_the_settings(string service)
    {
        var variables = Map(Map(Map(Compose()["services"])[service])["environment"])
            .Select(pair => KeyValuePair.Create(
                ((string)pair.Key).Replace("__", ":", StringComparison.Ordinal), (string?)Interpolate((string)pair.Value!)));

        var settings = SettingsReader.Read(
            new ConfigurationBuilder().AddInMemoryCollection(variables).Build(), new ProductionEnvironment());

        Assert.Equal("http://localhost:8080", settings.Issuer);
        Assert.Contains("Password=Example1", settings.Database.ConnectionString, StringComparison.Ordinal);
    }

    [Fact]
    public void No_secret_is_written_down()
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, "docker-compose.yml"));

        Assert.All(PasswordValue.Matches(text), match => Assert.StartsWith("${MSSQL_SA_PASSWORD:?", match.Groups["value"].Value, StringComparison.Ordinal));
    }

    [Fact]
    public void The_image_is_built_in_stages_and_runs_as_nobody_special()
    {
        var lines = Dockerfile();

        Assert.All(lines, line => Assert.Contains(line.Name, Instructions));
        var last = lines.FindLastIndex(line => line.Name == "FROM");
        Assert.True(last > 0);
        Assert.Contains(" AS build", lines[0].Value, StringComparison.Ordinal);
        var final = lines[last..];
        Assert.Equal("$APP_UID", Assert.Single(final, line => line.Name == "USER").Value);
        Assert.Equal("8080", Assert.Single(final, line => line.Name == "EXPOSE").Value);
        Assert.Equal("[\"/app/identityserver\"]", Assert.Single(final, line => line.Name == "ENTRYPOINT").Value);
        Assert.True(
            final.FindIndex(line => line.Name == "USER") > final.FindLastIndex(line => line.Name == "RUN"), "What needs root comes before USER.");
    }

    [Fact]
    public void What_the_image_copies_exists_and_is_let_through()
    {
        var allowed = File.ReadAllLines(Path.Combine(Repository.Root, "deploy", "Dockerfile.dockerignore"))
            .Where(line => line.StartsWith('!'))
            .Select(line => line[1..])
            .ToArray();
        foreach (var copy in Dockerfile().Where(line => line.Name == "COPY" && !line.Value.StartsWith("--from", StringComparison.Ordinal)))
        {
            foreach (var source in copy.Value.Split(' ')[..^1].Select(source => source.TrimEnd('/')))
            {
                Assert.True(Path.Exists(Path.Combine(Repository.Root, source)), source);
                Assert.Contains(source, allowed);
            }
        }
    }

    private static Dictionary<object, object?> Compose()
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, "docker-compose.yml"));
        var parser = new MergingParser(new Parser(new StringReader(text)));
        return new DeserializerBuilder().WithDuplicateKeyChecking().Build().Deserialize<Dictionary<object, object?>>(parser);
    }

    private static List<(string Name, string Value)> Dockerfile()
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, "deploy", "Dockerfile")).Replace("\\\n", " ", StringComparison.Ordinal);
        return
        [
            .. text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Where(line => !line.StartsWith('#'))
                .Select(line => line.Split(' ', 2))
                .Select(parts => (parts[0], parts.Length > 1 ? parts[1].Trim() : "")),
        ];
    }

    // ${NAME:-default} and ${NAME:?message}, as compose reads them.
    private static string Interpolate(string text) => Variable.Replace(
        text, match => match.Groups["kind"].Value == ":-" ? match.Groups["word"].Value : "Example1");

    private static string? Condition(Dictionary<object, object?> services, string service, string on) =>
        (string?)Map(Map(Map(services[service])["depends_on"])[on])["condition"];

    private static Dictionary<object, object?> Map(object? node) => Assert.IsType<Dictionary<object, object?>>(node);

    private static string[] Texts(object? node) => node is null ? [] : [.. ((IEnumerable<object>)node).Cast<string>()];

    [GeneratedRegex(@"(?:PASSWORD: |Password=)(?<value>[^;\s]+)", RegexOptions.None, 1000)]
    private static partial Regex PasswordValue { get; }

    [GeneratedRegex(@"\$\{[A-Z_]+(?<kind>:[-?])(?<word>[^}]*)\}", RegexOptions.None, 1000)]
    private static partial Regex Variable { get; }

    private sealed class ProductionEnvironment : IHostEnvironment
    {
        public string EnvironmentName { get; set; } = "Production";

        public string ApplicationName { get; set; } = "identityserver";

        public string ContentRootPath { get; set; } = "/app";

        public IFileProvider ContentRootFileProvider { get; set; } = new NullFileProvider();
    }
}
