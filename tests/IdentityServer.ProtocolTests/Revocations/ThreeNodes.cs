using IdentityServer.Testing;
using Npgsql;

namespace IdentityServer.ProtocolTests.Revocations;

/// <summary>Three nodes in processes of their own on one PostgreSQL, with two people and two apps.</summary>
public sealed class ThreeNodes : IAsyncLifetime
{
    private const string Scope = "openid offline_access";

    private readonly HttpClient _http = Browser.CreateClient(TimeSpan.FromSeconds(30));
    private PostgresServer _postgres = null!;
    private string _database = null!;
    private Person _bob = null!;
    private RelyingParty _doomed = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ServerCluster Cluster { get; private set; } = null!;

    public RelyingParty App { get; private set; } = null!;

    public Person Alice { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _postgres = await PostgresServer.StartAsync(durable: false, Ct);
        _database = await _postgres.CreateDatabaseAsync(Ct);
        Cluster = await ServerCluster.StartAsync(_database, 3, front: null, _http, Ct);
        var (alice, bob) = (Cluster.AddPersonAsync("alice", Ct), Cluster.AddPersonAsync("bob", Ct));
        var (app, doomed) = (Cluster.AddAppAsync("app", Ct), Cluster.AddAppAsync("doomed", Ct));
        (Alice, _bob, App, _doomed) = (await alice, await bob, await app, await doomed);
    }

    /// <summary>One thing for each way to end it; each was used at the node, which so knows it to be alive.</summary>
    public async Task<IReadOnlyList<Holding>> MakeThingsAsync(Uri node)
    {
        var (token, grant, session) = (await SignInAsync(App, Alice), await SignInAsync(App, Alice), await SignInAsync(App, Alice));
        Holding[] things =
        [
            new("a token", App, token, at => RevokeAsync(at, token.AccessToken!)) { MayRefresh = true },
            new("a grant", App, grant, at => RevokeAsync(at, grant.RefreshToken!)),
            new("a session", App, session, at => Cluster.EndAsync(at, $"/sessions/{session.IdToken!["sid"]}", Ct)),
            new("a person", App, await SignInAsync(App, _bob), at => Cluster.EndAsync(at, "/sessions?person=bob", Ct)),
            new("a client", _doomed, await SignInAsync(_doomed, Alice), at => Cluster.EndAsync(at, "/sessions?client=doomed", Ct)),
        ];
        foreach (var thing in things)
        {
            var app = thing.App.At(node);
            Assert.True((await app.IntrospectAsync(thing.Tokens.AccessToken!, Ct)).IsActive);
            Assert.Equal(200, (await app.UserInfoAsync(thing.Tokens.AccessToken!, Ct)).Status);
        }

        return things;
    }

    /// <summary>Nobody can read about people until what it answers is disposed.</summary>
    public async Task<IAsyncDisposable> HoldPeopleAsync(CancellationToken ct)
    {
        var connection = await OpenAsync(ct);
        await using var command = new NpgsqlCommand("""BEGIN; LOCK TABLE "Users" IN ACCESS EXCLUSIVE MODE""", connection);
        await command.ExecuteNonQueryAsync(ct);
        return connection;
    }

    /// <summary>Waits until so many wait for what is held.</summary>
    public async Task UntilWaitingAsync(int count, CancellationToken ct)
    {
        await using var connection = await OpenAsync(ct);
        await using var command = new NpgsqlCommand("SELECT COUNT(*) FROM pg_locks WHERE NOT granted", connection);
        while (await command.ExecuteScalarAsync(ct) is not long waiting || waiting < count)
        {
            await Task.Delay(10, ct);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Cluster.DisposeAsync();
        await _postgres.DisposeAsync();
        _http.Dispose();
    }

    private async Task<NpgsqlConnection> OpenAsync(CancellationToken ct)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(_database) { Pooling = false }.ToString());
        await connection.OpenAsync(ct);
        return connection;
    }

    private static Task<TokenAnswer> SignInAsync(RelyingParty app, Person person) => app.SignInAsync(person, Scope, Ct);

    private async Task RevokeAsync(Uri at, string token) => Assert.Equal(200, (await App.At(at).RevokeAsync(token, Ct)).Status);
}

/// <summary>What somebody holds, and how it is ended at a node.</summary>
public sealed record Holding(string Name, RelyingParty App, TokenAnswer Tokens, Func<Uri, Task> EndAsync)
{
    /// <summary>An access token alone was ended: its grant goes on.</summary>
    public bool MayRefresh { get; init; }

    /// <summary>Uses it at the node, in every way there is, and tells what was not refused.</summary>
    public async Task<string[]> ComplaintsAsync(Uri node, CancellationToken ct)
    {
        var app = App.At(node);
        var introspecting = app.IntrospectAsync(Tokens.AccessToken!, ct);
        var asking = ComplaintsOfUserInfoAsync(node, ct);
        var refreshing = MayRefresh ? null : app.RefreshAsync(Tokens.RefreshToken!, ct);
        var complaints = new List<string>();
        if (await introspecting is var introspected && (introspected.Status != 200 || introspected.IsActive))
        {
            complaints.Add($"{Name}: introspection {introspected.Text}");
        }

        complaints.AddRange(await asking);
        if (refreshing is not null && await refreshing is not { Status: 400, Error: "invalid_grant" })
        {
            complaints.Add($"{Name}: refresh {await refreshing}");
        }

        return [.. complaints];
    }

    /// <summary>The same at UserInfo alone.</summary>
    public async Task<string[]> ComplaintsOfUserInfoAsync(Uri node, CancellationToken ct) =>
        await App.At(node).UserInfoAsync(Tokens.AccessToken!, ct) is { Status: not 401 } told ? [$"{Name}: UserInfo {told}"] : [];
}
