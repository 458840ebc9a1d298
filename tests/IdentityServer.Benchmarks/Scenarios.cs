using System.Net.Http.Json;
using System.Text.Json;
using IdentityServer.Benchmarks.Load;
using IdentityServer.Benchmarks.Targets;

namespace IdentityServer.Benchmarks;

/// <summary>Every scenario, on one page.</summary>
internal sealed class Scenarios(HttpClient http, BenchmarkOptions options, string workFolder)
{
    public const string ClientCredentialsForm = "grant_type=client_credentials&scope=bench.read";
    private static readonly Goal None = new();
    private readonly Dictionary<(string Target, string Client), Browser> _browsers = [];

    public IEnumerable<Scenario> All(IReadOnlyList<Target> ours, Target peer, (ServerProcess Process, Uri Uri) floor)
    {
        var bareGet = new Contestant("floor", floor.Process, _ => Fixed("GET", floor.Uri, "", null));
        var bareSignature = new Contestant("floor", floor.Process, _ => Fixed("POST", floor.Uri, ClientCredentialsForm, peer.Client));

        yield return new Scenario
        {
            Name = "client_credentials",
            Ours = Each(ours, ClientCredentials),
            Peer = On(peer, ClientCredentials),
            Floor = bareSignature,
            Goal = _ => new Goal(OfPeer: 3.5, OfFloor: 0.75, P99: 5),
        };
        yield return new Scenario
        {
            Name = "introspection",
            Ours = Each(ours, IntrospectionAsync),
            Peer = On(peer, IntrospectionAsync),
            Goal = _ => new Goal(OfPeer: 2),
        };
        yield return new Scenario
        {
            Name = "refresh",
            Ours = Each(ours, RefreshAsync),
            Peer = On(peer, RefreshAsync),
            Goal = database => new Goal(OfPeer: database == Product.Sqlite ? 0.5 : 0.6),
        };
        yield return new Scenario
        {
            Name = "code",
            Ours = Each(ours, CodeAsync),
            Peer = On(peer, CodeAsync),
            Goal = _ => new Goal(OfPeer: 0.7),
        };
        yield return new Scenario { Name = "code_rs256", Ours = Each(ours, CodeRs256Async), Goal = _ => None };
        yield return new Scenario
        {
            Name = "jwks",
            Ours = Each(ours, (target, _) => Fixed("GET", target.Metadata.Jwks, "", null)),
            Peer = On(peer, (target, _) => Fixed("GET", target.Metadata.Jwks, "", null)),
            Floor = bareGet,
            Goal = _ => new Goal(OfFloor: 0.8),
        };
        yield return new Scenario
        {
            Name = "discovery",
            Ours = Each(ours, (target, _) => Fixed("GET", target.Discovery, "", null)),
            Peer = On(peer, (target, _) => Fixed("GET", target.Discovery, "", null)),
            Floor = bareGet,
            Goal = _ => new Goal(OfFloor: 0.8),
        };
    }

    private static Contestant On(Target target, Func<Target, CancellationToken, Task<Job>> prepare) =>
        new(target.Name, target.Process, ct => prepare(target, ct));

    private static Contestant[] Each(IEnumerable<Target> targets, Func<Target, CancellationToken, Task<Job>> prepare) =>
        targets.Select(x => On(x, prepare)).ToArray();

    private static Task<Job> ClientCredentials(Target target, CancellationToken ct) =>
        Fixed("POST", target.Metadata.Token, ClientCredentialsForm, target.Client);

    private async Task<Job> IntrospectionAsync(Target target, CancellationToken ct)
    {
        using var issued = await Burst.RequestTokenAsync(
            http, target.Metadata.Token, target.Client, target.IntrospectableToken, ct);
        var token = await issued.Content.ReadFromJsonAsync<TokenAnswer>(ct);
        var form = $"token={token?.AccessToken}";

        using var probe = new HttpRequestMessage(HttpMethod.Post, target.Metadata.Introspection)
        {
            Headers = { Authorization = target.Client.Basic },
            Content = Browser.Form(form),
        };
        using var response = await http.SendAsync(probe, ct);
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>(ct);
        if (!answer.TryGetProperty("active", out var active) || !active.GetBoolean())
        {
            throw new InvalidOperationException($"{target.Name}: the token to introspect is not active.");
        }

        return await Fixed("POST", target.Metadata.Introspection, form, target.Client);
    }

    private async Task<Job> RefreshAsync(Target target, CancellationToken ct)
    {
        // Half as many again as connections: a thread's queue never runs dry, and the tokens that wrk abandons do not matter.
        var browser = await BrowserAsync(target, target.Client, ct);
        var file = Path.Combine(workFolder, $"{target.Name}.tokens");
        await using (var tokens = new StreamWriter(file))
        {
            for (var i = 0; i < options.Connections * 3 / 2; i++)
            {
                var answer = await browser.SignInAsync(ct);
                await tokens.WriteLineAsync(answer.RefreshToken);
            }
        }

        return new Job(
            "refresh.lua",
            target.Metadata.Token,
            new Dictionary<string, string> { ["BENCH_TOKENS"] = file, ["BENCH_AUTHORIZATION"] = target.Client.Basic.ToString() },
            CountsFlows: false);
    }

    private Task<Job> CodeAsync(Target target, CancellationToken ct) => CodeAsync(target, target.Client, ct);

    private Task<Job> CodeRs256Async(Target target, CancellationToken ct) =>
        CodeAsync(target, target.Rs256Client ?? target.Client, ct);

    private async Task<Job> CodeAsync(Target target, Credentials client, CancellationToken ct)
    {
        var browser = await BrowserAsync(target, client, ct);
        return new Job(
            "code.lua",
            target.Metadata.Token,
            new Dictionary<string, string>
            {
                ["BENCH_AUTHORIZE"] = browser.AuthorizePathAndQuery,
                ["BENCH_COOKIE"] = browser.CookieHeader(target.Metadata.Authorization),
                ["BENCH_BODY"] = browser.RedemptionForm,
                ["BENCH_AUTHORIZATION"] = client.Basic.ToString(),
            },
            CountsFlows: true);
    }

    /// <summary>A browser with a session and every consent given.</summary>
    private async Task<Browser> BrowserAsync(Target target, Credentials client, CancellationToken ct)
    {
        if (!_browsers.TryGetValue((target.Name, client.Id), out var browser))
        {
            browser = new Browser(http, target, client);
            await browser.SignInAsync(ct);
            _browsers[(target.Name, client.Id)] = browser;
        }

        return browser;
    }

    private static Task<Job> Fixed(string method, Uri uri, string body, Credentials? client) => Task.FromResult(new Job(
        "fixed.lua",
        uri,
        new Dictionary<string, string>
        {
            ["BENCH_METHOD"] = method,
            ["BENCH_BODY"] = body,
            ["BENCH_AUTHORIZATION"] = client?.Basic.ToString() ?? "",
        },
        CountsFlows: false));
}
