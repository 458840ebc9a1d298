using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using IdentityServer.ProtocolTests.Commands;
using IdentityServer.ProtocolTests.Oracles;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Keys;

/// <summary>
/// Eight callers fetch tokens from real server processes and show each to two resource servers that others wrote, which keep the key set
/// for a while and never fetch early. Meanwhile the key is rolled over, three times.
/// </summary>
public sealed class RolloverUnderLoadTests
{
    private const string Api = "load-api";
    private const int Callers = 8;
    private const int Rollovers = 3;

    /// <summary>What a caller rests between two tokens, so that the machine is busy and not blocked: hundreds of tokens a second remain.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(20);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Three_rollovers_under_load_fail_nobody()
    {
        await using var folder = await ServerFolder.CreateAsync(Ct);
        await using var fleet = await Fleet.StartAsync(folder, nodes: 1, cacheSeconds: 1);

        for (var i = 0; i < Rollovers; i++)
        {
            await fleet.RollOverAsync(lead: TimeSpan.FromSeconds(6));
        }

        await fleet.AssertNobodyFailedAsync(kids: 1 + Rollovers);
    }

    [Fact]
    public async Task Three_nodes_on_one_database_roll_over_under_load_though_one_is_killed()
    {
        await using var postgres = await PostgresServer.StartAsync(durable: false, Ct);
        await using var folder = await ServerFolder.CreateAsync(Ct);
        folder.Environment["IdentityServer__Database__Provider"] = "PostgreSql";
        folder.Environment["IdentityServer__Database__ConnectionString"] = await postgres.CreateDatabaseAsync(Ct);
        await using var fleet = await Fleet.StartAsync(folder, nodes: 3, cacheSeconds: 1);

        await fleet.RollOverAsync(lead: TimeSpan.FromSeconds(6));
        await fleet.RollOverAsync(lead: TimeSpan.FromSeconds(6), meanwhile: fleet.KillLastAsync);
        await fleet.RollOverAsync(lead: TimeSpan.FromSeconds(6));

        await fleet.AssertNobodyFailedAsync(kids: 1 + Rollovers);
    }

    /// <summary>So that the harness is known to see what it looks for.</summary>
    [Fact]
    public async Task Without_a_lead_time_resource_servers_do_fail()
    {
        await using var folder = await ServerFolder.CreateAsync(Ct);
        await using var fleet = await Fleet.StartAsync(folder, nodes: 1, cacheSeconds: 600);

        await fleet.RollOverAsync(lead: TimeSpan.Zero);

        await fleet.StopCallersAsync();
        Assert.Contains(fleet.Failures, failure => failure.StartsWith("jwtbearer", StringComparison.Ordinal));
        Assert.Contains(fleet.Failures, failure => failure.StartsWith("jose", StringComparison.Ordinal));
        Assert.DoesNotContain(fleet.Failures, failure => failure.StartsWith("issuance", StringComparison.Ordinal));
    }

    private sealed class Fleet : IAsyncDisposable
    {
        private readonly ServerFolder _folder;
        private readonly List<(Uri Address, ServerProcess Process)> _nodes = [];
        private readonly Dictionary<string, (Uri Address, ServerProcess Process)> _validators = new(StringComparer.Ordinal);
        private readonly HttpClient _http = Browser.CreateClient(TimeSpan.FromSeconds(30));
        private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        private readonly ConcurrentDictionary<string, int> _accepted = new(StringComparer.Ordinal);
        private Task[] _callers = [];
        private string _secret = "";

        private Fleet(ServerFolder folder) => _folder = folder;

        public ConcurrentBag<string> Failures { get; } = [];

        public static async Task<Fleet> StartAsync(ServerFolder folder, int nodes, int cacheSeconds)
        {
            var fleet = new Fleet(folder);
            try
            {
                await fleet.PrepareAsync(nodes, cacheSeconds);
                return fleet;
            }
            catch
            {
                await fleet.DisposeAsync();
                throw;
            }
        }

        /// <summary>Announces a key, lets the caches turn over, and makes it sign; then waits until tokens of it were accepted.</summary>
        public async Task RollOverAsync(TimeSpan lead, Func<Task>? meanwhile = null)
        {
            await RunAsync("keys", "schedule", "ES256", "--at", "+26h");
            var kid = (string)JsonNode.Parse((await RunAsync("keys", "list", "--json")).Output)!.AsArray()
                .Single(key => (string?)key!["state"] == "announced")!["kid"]!;
            if (meanwhile is not null)
            {
                await meanwhile();
            }

            await Task.Delay(lead, Ct);
            await RunAsync("keys", "activate", kid, "--force");
            await UntilAsync(() => _accepted.GetValueOrDefault(kid) > 200 || (lead == TimeSpan.Zero && Failures.Count > 50));
        }

        public async Task KillLastAsync()
        {
            await _nodes[^1].Process.KillAsync(Ct);
        }

        public async Task StopCallersAsync()
        {
            await _stop.CancelAsync();
            await Task.WhenAll(_callers);
        }

        public async Task AssertNobodyFailedAsync(int kids)
        {
            await StopCallersAsync();
            Assert.Empty(Failures);
            Assert.Equal(kids, _accepted.Count);
        }

        public async ValueTask DisposeAsync()
        {
            await StopCallersAsync();
            foreach (var (_, process) in _nodes.Concat(_validators.Values))
            {
                await process.DisposeAsync();
            }

            _http.Dispose();
            _stop.Dispose();
        }

        private async Task PrepareAsync(int nodes, int cacheSeconds)
        {
            await RunAsync("migrate", "up");
            await RunAsync("scopes", "add", "load.read");
            await RunAsync("apis", "add", Api, "--scope", "load.read");
            _secret = (string)(await RunAsync("clients", "add", "caller", "--type", "service", "--scope", "load.read", "--json")).Json["client_secret"]!;
            for (var i = 0; i < nodes; i++)
            {
                var address = i == 0 ? _folder.Address : FreeAddress();
                _nodes.Add((address, await _folder.StartAsync(address, Ct)));
            }

            var cache = cacheSeconds.ToString(CultureInfo.InvariantCulture);
            await AddValidatorAsync("jwtbearer", OracleServer.ResourceServerProgram, [], cache);
            await AddValidatorAsync("jose", "node", [Path.Combine(Repository.Root, "tests", "oracles", "rs-jose.mjs")], cache);
            _callers = [.. Enumerable.Range(0, Callers).Select(caller => Task.Run(() => CallAsync(caller)))];
            await UntilAsync(() => _accepted.Values.Sum() > 200);
        }

        private async Task AddValidatorAsync(string name, string program, string[] arguments, string cache)
        {
            var address = FreeAddress();
            var start = new ProcessStartInfo(program, arguments)
            {
                UseShellExecute = false,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            start.Environment["ISSUER"] = _folder.Issuer;
            start.Environment["AUDIENCE"] = Api;
            start.Environment["ASPNETCORE_URLS"] = address.GetLeftPart(UriPartial.Authority);
            start.Environment["PORT"] = address.Port.ToString(CultureInfo.InvariantCulture);
            start.Environment["KEY_CACHE_SECONDS"] = cache;
            var process = new ServerProcess(start);
            _validators[name] = (address, process);
            await process.WaitUntilListeningAsync(_http, address, TimeSpan.FromSeconds(60), Ct);
        }

        private async Task CallAsync(int caller)
        {
            for (var turn = caller; !_stop.IsCancellationRequested; turn++)
            {
                try
                {
                    if (await TokenAsync(turn) is not { } token)
                    {
                        continue;
                    }

                    foreach (var (name, (address, _)) in _validators)
                    {
                        await ShowAsync(name, new Uri(address, "/me"), token);
                    }

                    await Task.Delay(Rest, _stop.Token);
                }
                catch (OperationCanceledException) when (_stop.IsCancellationRequested)
                {
                    return;
                }
            }
        }

        // As behind a load balancer: a node that is gone is passed over, one that answers wrongly has failed.
        private async Task<string?> TokenAsync(int turn)
        {
            for (var i = 0; i < _nodes.Count; i++)
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_nodes[(turn + i) % _nodes.Count].Address, "/connect/token"))
                {
                    Content = new FormUrlEncodedContent([new("grant_type", "client_credentials")]),
                };
                request.Headers.Authorization = RelyingParty.Basic("caller", _secret);
                try
                {
                    using var response = await _http.SendAsync(request, _stop.Token);
                    var text = await response.Content.ReadAsStringAsync(_stop.Token);
                    if (response.IsSuccessStatusCode)
                    {
                        return (string?)JsonNode.Parse(text)!["access_token"];
                    }

                    Failures.Add($"issuance {(int)response.StatusCode} {text}");
                    return null;
                }
                catch (HttpRequestException)
                {
                    // The next one.
                }
            }

            Failures.Add("issuance: no node answered");
            return null;
        }

        private async Task ShowAsync(string validator, Uri address, string token)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            using var response = await _http.SendAsync(request, _stop.Token);
            var kid = Jwt.Parse(token).Kid!;
            if (response.IsSuccessStatusCode)
            {
                _accepted.AddOrUpdate(kid, 1, (_, count) => count + 1);
            }
            else
            {
                Failures.Add($"{validator} {(int)response.StatusCode} {kid} {response.Headers.WwwAuthenticate}");
            }
        }

        private static async Task UntilAsync(Func<bool> isSo)
        {
            for (var i = 0; i < 1200 && !isSo(); i++)
            {
                await Task.Delay(50, Ct);
            }

            Assert.True(isSo(), "It did not come to it within a minute.");
        }

        private async Task<CommandResult> RunAsync(params string[] arguments) => (await _folder.RunAsync(arguments, null, Ct)).Successful();

        private static Uri FreeAddress() => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{ServerFolder.FreePort()}"));
    }
}
