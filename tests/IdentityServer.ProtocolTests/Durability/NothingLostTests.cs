using System.Collections.Concurrent;
using System.Security.Cryptography;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Durability;

/// <summary>
/// The server process is killed at random instants while refresh tokens rotate. Whatever it answered before holds afterwards;
/// what was ended stays ended.
/// </summary>
public abstract class NothingLostTests
{
    private const int Kills = 50;
    private const int Families = 8;
    private const string Scope = "openid offline_access";
    private const string RedirectUri = "https://rp.example/callback";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Fifty_kills_lose_no_answered_token_and_revive_no_ended_grant()
    {
        await using var folder = await ServerFolder.CreateAsync(Ct);
        await PrepareAsync(folder);

        // The client that was cut off comes again after the restart, which may take longer than 10 s on a busy machine.
        folder.Environment["IdentityServer__Tokens__RefreshGrace"] = "00:02:00";
        var (app, person) = await SetUpAsync(folder);
        using var http = app.Http;

        var browser = new Browser(http);
        var families = new Family[Families];
        var toEnd = new TokenAnswer[Kills / 2];
        var ended = 0;
        for (var kill = 0; kill < Kills; kill++)
        {
            await using var server = await folder.StartAsync(Ct);
            if (kill == 0)
            {
                app = await DiscoverAsync(app);
                for (var i = 0; i < Families; i++)
                {
                    families[i] = new Family(await OpenAsync(app, browser, person));
                }

                for (var i = 0; i < toEnd.Length; i++)
                {
                    toEnd[i] = await OpenAsync(app, browser, person);
                }
            }

            // The latest are those that a kill could bring back; all of them are looked at in the end.
            await CheckAsync(app, families, toEnd[Math.Max(0, ended - 3)..ended]);
            if (kill % 2 == 0)
            {
                Assert.Equal(200, (await app.RevokeAsync(toEnd[ended++].RefreshToken!, Ct)).Status);
            }

            await RotateUntilKilledAsync(app, families, server);
        }

        await using var last = await folder.StartAsync(Ct);
        await CheckAsync(app, families, toEnd);
    }

    /// <summary>Points the folder at its database.</summary>
    protected abstract ValueTask PrepareAsync(ServerFolder folder);

    private static async Task<(RelyingParty App, Person Person)> SetUpAsync(ServerFolder folder)
    {
        (await folder.RunAsync(["migrate", "up"], null, Ct)).Expect();
        var person = new Person("alice", "nine lilac umbrellas wait");
        (await folder.RunAsync(
            ["users", "add", person.UserName, "--email", "alice@example.com", "--password-stdin"],
            person.Password,
            Ct)).Expect();
        var client = (await folder.RunAsync(
            ["clients", "add", "app", "--type", "web", "--redirect-uri", RedirectUri, "--json"], null, Ct)).Json;
        var app = new RelyingParty
        {
            Http = Browser.CreateClient(TimeSpan.FromSeconds(20)),
            Provider = new OpenIdProvider(folder.Issuer, [], []),
            Clock = TimeProvider.System,
            ClientId = "app",
            Secret = (string)client["client_secret"]!,
            RedirectUri = RedirectUri,
        };
        return (app, person);
    }

    private static async Task<RelyingParty> DiscoverAsync(RelyingParty app) =>
        app with { Provider = await OpenIdProvider.DiscoverAsync(app.Http, app.Provider.Issuer, Ct) };

    private static async Task<TokenAnswer> OpenAsync(RelyingParty app, Browser browser, Person person) =>
        await app.ExchangeAsync(await app.AuthorizeAsync(browser, app.Attempt(Scope), person, Ct), Ct);

    /// <summary>Refreshes every family as fast as it goes, and kills the server after a random number of answers.</summary>
    private static async Task RotateUntilKilledAsync(RelyingParty app, Family[] families, ServerProcess server)
    {
        var untilKill = RandomNumberGenerator.GetInt32(1, 100);
        var enough = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var loops = families.Select(async family =>
        {
            while (await family.RefreshAsync(app, Ct))
            {
                if (Interlocked.Decrement(ref untilKill) == 0)
                {
                    enough.SetResult();
                }
            }
        }).ToArray();

        await Task.WhenAny(enough.Task, Task.WhenAll(loops));
        Assert.True(enough.Task.IsCompleted, server.Log);
        await server.KillAsync(Ct);
        await Task.WhenAll(loops);
    }

    private static async Task CheckAsync(RelyingParty app, Family[] families, TokenAnswer[] ended)
    {
        // First the tips, while the grace window of a refresh cut off by the kill is open.
        foreach (var family in families)
        {
            Assert.True(await family.RefreshAsync(app, Ct), "The server does not answer.");
        }

        foreach (var family in families)
        {
            var alive = new List<string>();
            foreach (var token in family.Answered)
            {
                if ((await app.IntrospectAsync(token, Ct)).IsActive)
                {
                    alive.Add(token);
                }
            }

            Assert.Equal([family.Tip], alive);
            Assert.True((await app.IntrospectAsync(family.AccessToken, Ct)).IsActive, "An answered access token is dead.");
            family.Forget();
        }

        foreach (var tokens in ended)
        {
            Assert.False((await app.IntrospectAsync(tokens.AccessToken!, Ct)).IsActive, "An ended access token is alive.");
            Check.TokenError(await app.RefreshAsync(tokens.RefreshToken!, Ct), "invalid_grant");
        }
    }

    /// <summary>One grant as its app knows it: the token it holds, and those it held before.</summary>
    private sealed class Family(TokenAnswer opened)
    {
        private readonly ConcurrentQueue<string> _answered = new([opened.RefreshToken!]);

        public string Tip { get; private set; } = opened.RefreshToken!;

        public string AccessToken { get; private set; } = opened.AccessToken!;

        public IReadOnlyCollection<string> Answered => _answered;

        /// <summary>True when answered; false when the server is gone. An error is a loss, and fails.</summary>
        public async Task<bool> RefreshAsync(RelyingParty app, CancellationToken ct)
        {
            TokenAnswer answer;
            try
            {
                answer = await app.RefreshAsync(Tip, ct);
            }
            catch (Exception gone) when (gone is HttpRequestException or IOException)
            {
                return false;
            }

            Assert.True(answer.Succeeded, $"An answered refresh token is lost: {answer.Text}");
            Assert.NotEqual(Tip, answer.RefreshToken);
            Tip = answer.RefreshToken!;
            AccessToken = answer.AccessToken!;
            _answered.Enqueue(Tip);
            return true;
        }

        /// <summary>Those that were checked need no second look.</summary>
        public void Forget()
        {
            while (_answered.Count > 1)
            {
                _answered.TryDequeue(out _);
            }
        }
    }
}

public sealed class NothingLostOnSqlite : NothingLostTests
{
    protected override ValueTask PrepareAsync(ServerFolder folder) => ValueTask.CompletedTask;
}

public sealed class NothingLostOnPostgreSql : NothingLostTests, IAsyncLifetime
{
    private PostgresServer? _postgres;

    public async ValueTask InitializeAsync() =>
        _postgres = await PostgresServer.StartAsync(durable: true, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_postgres is not null)
        {
            await _postgres.DisposeAsync();
        }
    }

    protected override async ValueTask PrepareAsync(ServerFolder folder)
    {
        folder.Environment["IdentityServer__Database__Provider"] = "PostgreSql";
        folder.Environment["IdentityServer__Database__ConnectionString"] =
            await _postgres!.CreateDatabaseAsync(TestContext.Current.CancellationToken);
    }
}
