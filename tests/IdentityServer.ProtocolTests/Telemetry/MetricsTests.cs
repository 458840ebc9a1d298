using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.ProtocolTests.Telemetry;

/// <summary>A server whose metrics may be read.</summary>
public sealed class MeteredServer : AppServer
{
    public const string Token = "0123456789abcdef0123456789abcdef";

    protected override void Configure(IDictionary<string, string?> settings) => settings["IdentityServer:Metrics:Token"] = Token;
}

/// <summary>What <c>/metrics</c> tells, and whom. The meters are the process's, so other tests are counted here too: only growth is certain.</summary>
public sealed partial class MetricsTests(MeteredServer apps) : IClassFixture<MeteredServer>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_a_token_in_the_settings_there_is_no_such_page()
    {
        await using var plain = await ServerFixture.StartAsync(Ct);
        using var answer = await AskAsync(plain, MeteredServer.Token);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("0123456789abcdef0123456789abcdeF")]
    [InlineData("0123456789abcdef0123456789abcde")]
    [InlineData("0123456789abcdef0123456789abcdef0")]
    public async Task Whoever_does_not_show_the_token_learns_nothing(string? token)
    {
        using var answer = await AskAsync(apps.Server, token);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal("Bearer", answer.Headers.WwwAuthenticate.Single().Scheme);
        Assert.Empty(await answer.Content.ReadAsStringAsync(Ct));
    }

    [Fact]
    public async Task What_happens_is_counted_and_names_nobody()
    {
        var before = await ReadAsync();
        var tokens = await apps.App.SignInAsync(apps.Alice, "openid offline_access", Ct);
        Assert.Equal(200, (await apps.App.RevokeAsync(tokens.RefreshToken!, Ct)).Status);
        Assert.False((await apps.App.IntrospectAsync(tokens.AccessToken!, Ct)).IsActive);
        Assert.Equal("invalid_grant", (await apps.App.RefreshAsync(tokens.RefreshToken!, Ct)).Error);
        var ended = new Revocation(RevocationKind.Grant, Handle.NewId(), apps.Server.Clock.GetUtcNow().AddMilliseconds(-600), apps.Server.Clock.GetUtcNow().AddHours(1));
        await apps.Server.Services.GetRequiredService<RevocationList>().ApplyAsync(
            [new(1, ChangeKind.Revocation, RevocationList.Format(ended), ended.At)], Ct);

        var text = await TextAsync();
        var after = Parse(text);
        foreach (var grown in new[]
        {
            "identity_logins_total{method=\"password\",result=\"ok\"}",
            "identity_revoked_presented_total{kind=\"access\"}",
            "identity_revoked_presented_total{kind=\"refresh\"}",
            "identity_revocation_propagation_seconds_bucket{le=\"0.75\"}",
            "identity_revocation_propagation_seconds_count",
        })
        {
            Assert.True(after.GetValueOrDefault(grown) > before.GetValueOrDefault(grown), $"{grown} has not grown:\n{text}");
        }

        Assert.Contains(after.Keys, name => name.StartsWith("http_server_request_duration_seconds_bucket{", StringComparison.Ordinal));
        Assert.Contains(after.Keys, name => name.StartsWith("identity_signing_key_age_seconds{", StringComparison.Ordinal));
        Assert.True(after["dotnet_process_memory_working_set_bytes"] > 1);
        foreach (var secret in new[] { "alice", tokens.IdToken!["sub"]!, tokens.IdToken["sid"]!, tokens.AccessToken!, tokens.RefreshToken!, MeteredServer.Token })
        {
            Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_histogram_adds_up()
    {
        await apps.App.SignInAsync(apps.Alice, "openid", Ct);
        var all = await ReadAsync();
        var histograms = all.Keys.Where(name => name.Contains("_bucket{", StringComparison.Ordinal))
            .GroupBy(name => Bound().Replace(name, "")).ToArray();
        Assert.NotEmpty(histograms);
        foreach (var histogram in histograms)
        {
            var buckets = histogram.Select(name => all[name]).ToArray();
            Assert.Equal(buckets.Order(), buckets);
            Assert.Equal(all[histogram.Key.Replace("_bucket", "_count", StringComparison.Ordinal).Replace("{}", "", StringComparison.Ordinal)], buckets[^1]);
        }
    }

    /// <summary>Nobody looks for a metric that is not written down.</summary>
    [Fact]
    public async Task Each_metric_of_ours_is_in_the_documentation()
    {
        await apps.App.SignInAsync(apps.Alice, "openid", Ct);
        var page = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs/operations.md"), Ct);
        var made = Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("ResourceServer", StringComparison.Ordinal))
            .SelectMany(file => Made().Matches(File.ReadAllText(file)).Select(match => match.Groups["name"].Value))
            .ToHashSet(StringComparer.Ordinal);

        Assert.True(made.Count > 12, $"Only {made.Count} metrics were found in the sources.");
        Assert.All(made, name => Assert.Contains($"`{name}", page, StringComparison.Ordinal));
    }

    private static async Task<HttpResponseMessage> AskAsync(ServerFixture server, string? token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(server.Address, "/metrics"));
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        return await server.Http.SendAsync(request, Ct);
    }

    private async Task<string> TextAsync()
    {
        using var answer = await AskAsync(apps.Server, MeteredServer.Token);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", answer.Content.Headers.ContentType!.ToString());
        Assert.True(answer.Headers.CacheControl!.NoStore);
        return await answer.Content.ReadAsStringAsync(Ct);
    }

    private async Task<Dictionary<string, double>> ReadAsync() => Parse(await TextAsync());

    /// <summary>By the grammar of the format, in which each name is told of once, before its figures.</summary>
    private static Dictionary<string, double> Parse(string text)
    {
        var figures = new Dictionary<string, double>(StringComparer.Ordinal);
        var types = new HashSet<string>(StringComparer.Ordinal);
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        foreach (var line in text.TrimEnd('\n').Split('\n'))
        {
            if (Comment().Match(line) is { Success: true } comment)
            {
                Assert.True(comment.Groups["kind"].Value == "HELP" || types.Add(comment.Groups["name"].Value), line);
                continue;
            }

            var figure = Figure().Match(line);
            Assert.True(figure.Success, $"Not of the format: {line}");
            var name = figure.Groups["name"].Value;
            Assert.Contains(types, type => name == type || name == type + "_bucket" || name == type + "_sum" || name == type + "_count");
            figures.Add(name + figure.Groups["labels"].Value, double.Parse(
                figure.Groups["value"].Value.Replace("+Inf", "Infinity", StringComparison.Ordinal), CultureInfo.InvariantCulture));
        }

        return figures;
    }

    [GeneratedRegex("""^# (?<kind>HELP|TYPE) (?<name>[a-zA-Z_][a-zA-Z0-9_]*) .*$""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Comment();

    [GeneratedRegex(
        """^(?<name>[a-zA-Z_][a-zA-Z0-9_]*)(?<labels>\{[a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\["\\n])*"(,[a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\["\\n])*")*\})? (?<value>[-+]?[0-9.eE+-]+|[+-]Inf|NaN)$""",
        RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Figure();

    [GeneratedRegex(",?le=\"[^\"]*\"", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Bound();

    [GeneratedRegex("\"(?<name>identity_[a-z_]+)\"", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Made();
}
