using IdentityServer.Benchmarks.Load;
using IdentityServer.Benchmarks.Targets;
using IdentityServer.Testing;

namespace IdentityServer.Benchmarks;

/// <summary>Every scenario, on one page.</summary>
internal sealed class Scenarios(BenchmarkOptions options, string workFolder)
{
    private const string ClientCredentialsForm = $"grant_type=client_credentials&scope={Target.ServiceScope}";
    private static readonly Goal None = new();
    private readonly Dictionary<RelyingParty, SignedIn> _browsers = [];

    public IEnumerable<Scenario> All(IReadOnlyList<Target> ours, Target peer, (MeasuredProcess Process, Uri Uri) floor)
    {
        yield return new Scenario
        {
            Name = "client_credentials",
            Ours = Each(ours, ClientCredentials),
            Peer = On(peer, ClientCredentials),
            Floor = new("floor", floor.Process, _ => Task.FromResult(Post(floor.Uri, ClientCredentialsForm, peer.Client))),
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
            Ours = Each(ours, (target, ct) => CodeAsync(target.Client, ct)),
            Peer = On(peer, (target, ct) => CodeAsync(target.Client, ct)),
            Goal = _ => new Goal(OfPeer: 0.7),
        };
        yield return new Scenario
        {
            Name = "code_rs256",
            Ours = Each(ours, (target, ct) => CodeAsync(target.Rs256Client ?? target.Client, ct)),
            Goal = _ => None,
        };
        yield return Documents("jwks", target => target.Jwks);
        yield return Documents("discovery", target => target.Discovery);

        Scenario Documents(string name, Func<Target, Uri> document) => new()
        {
            Name = name,
            Ours = Each(ours, (target, _) => Task.FromResult(Get(document(target)))),
            Peer = On(peer, (target, _) => Task.FromResult(Get(document(target)))),
            Floor = new("floor", floor.Process, _ => Task.FromResult(Get(floor.Uri))),
            Goal = _ => new Goal(OfFloor: 0.8),
        };
    }

    private static Contestant On(Target target, Func<Target, CancellationToken, Task<Job>> prepare) =>
        new(target.Name, target.Process, ct => prepare(target, ct));

    private static Contestant[] Each(IEnumerable<Target> targets, Func<Target, CancellationToken, Task<Job>> prepare) =>
        targets.Select(x => On(x, prepare)).ToArray();

    private static Task<Job> ClientCredentials(Target target, CancellationToken ct) =>
        Task.FromResult(Post(target.Provider.Token, ClientCredentialsForm, target.Client));

    private static async Task<Job> IntrospectionAsync(Target target, CancellationToken ct)
    {
        var issued = await target.Client.TokenAsync(
            [new("grant_type", "client_credentials"), new("scope", Target.ServiceScope), .. target.ForIntrospection], ct);
        var token = issued.AccessToken ?? throw new InvalidOperationException($"{target.Name} answered {issued}.");
        return (await target.Client.IntrospectAsync(token, ct)).IsActive
            ? Post(target.Provider.Introspection, $"token={token}", target.Client)
            : throw new InvalidOperationException($"{target.Name}: the token to introspect is not active.");
    }

    private async Task<Job> RefreshAsync(Target target, CancellationToken ct)
    {
        // Half as many again as connections: a thread's queue never runs dry, and the tokens that wrk abandons do not matter.
        var browser = await BrowserAsync(target.Client, ct);
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
            target.Provider.Token,
            [new("BENCH_TOKENS", file), new("BENCH_AUTHORIZATION", Basic(target.Client))],
            CountsFlows: false);
    }

    private async Task<Job> CodeAsync(RelyingParty client, CancellationToken ct)
    {
        var browser = await BrowserAsync(client, ct);
        return new Job(
            "code.lua",
            client.Provider.Token,
            [
                new("BENCH_AUTHORIZE", browser.Attempt.At(client.Provider.Authorization).PathAndQuery),
                new("BENCH_COOKIE", browser.Cookies),
                new("BENCH_BODY", browser.RedemptionForm),
                new("BENCH_AUTHORIZATION", Basic(client)),
            ],
            CountsFlows: true);
    }

    /// <summary>A browser with a session and every consent given.</summary>
    private async Task<SignedIn> BrowserAsync(RelyingParty client, CancellationToken ct)
    {
        if (!_browsers.TryGetValue(client, out var browser))
        {
            browser = new SignedIn(client);
            await browser.SignInAsync(ct);
            _browsers[client] = browser;
        }

        return browser;
    }

    private static Job Get(Uri uri) => new("fixed.lua", uri, [new("BENCH_METHOD", "GET")], CountsFlows: false);

    private static Job Post(Uri uri, string form, RelyingParty client) => new(
        "fixed.lua",
        uri,
        [new("BENCH_METHOD", "POST"), new("BENCH_BODY", form), new("BENCH_AUTHORIZATION", Basic(client))],
        CountsFlows: false);

    private static string Basic(RelyingParty client) => RelyingParty.Basic(client.ClientId, client.Secret!).ToString();
}
