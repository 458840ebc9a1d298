using System.Diagnostics;
using System.Globalization;
using IdentityServer.Benchmarks.Results;
using IdentityServer.Testing;
using Npgsql;

namespace IdentityServer.Benchmarks.Cluster;

/// <summary>
/// How soon an ending is refused everywhere: three nodes on one PostgreSQL behind nginx, 200 endings of tokens, grants and sessions while
/// 500 checks a second go to random nodes. Counted from the answer of the ending to the answer with which the last node refuses, and the last
/// API that follows the feed; once with PostgreSQL's NOTIFY and once without.
/// </summary>
internal sealed class Propagation(
    ServerCluster cluster, RelyingParty app, IReadOnlyList<Follower> apis, IReadOnlyList<Person> people, string database, TextWriter output)
{
    private const string Scope = "orders.read";
    private const int Apis = 3;
    private const int Nodes = 3;
    private const int Endings = 200;
    private const int Alive = 40;
    private const int People = 4;
    private const double MostP99 = 1000;
    private const double MostEver = 2000;
    private const string Channel = "identityserver_changes";

    private static readonly TimeSpan AtMost = TimeSpan.FromMinutes(8);
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan BetweenEndings = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan GiveUp = TimeSpan.FromSeconds(10);

    public static async Task RunAsync(TextWriter output, CancellationToken ct)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(AtMost);
        ct = limit.Token;
        await output.WriteLineAsync($"{Environment.ProcessorCount} cores shared with the load; {await Nginx.VersionAsync(ct)}; load before {Machine.LoadNow()}".AsMemory(), ct);
        await using var postgres = await PostgresServer.StartAsync(durable: true, ct);

        // With this path a function of ours goes before the system's of the same name: that is how NOTIFY is taken away below. It is there
        // from the start, as a statement that is prepared keeps to the function that it found.
        var database = new NpgsqlConnectionStringBuilder(await postgres.CreateDatabaseAsync(ct)) { SearchPath = "public,pg_catalog" }.ToString();
        await LetNotifyAsync(database, "PERFORM pg_catalog.pg_notify($1, $2);", ct);
        using var http = Browser.CreateClient(TimeSpan.FromSeconds(20));
        Nginx? nginx = null;
        var apis = new List<Follower>();
        try
        {
            await using var cluster = await ServerCluster.StartAsync(
                database, Nodes, async (address, nodes) => nginx = await Nginx.StartAsync(address, nodes, http, ct), http, ct);
            var people = new List<Person>();
            for (var i = 0; i < People; i++)
            {
                people.Add(await cluster.AddPersonAsync($"person{i}", ct));
            }

            var follower = await cluster.AddApiAsync("orders-api", Scope, ct);
            var app = await cluster.AddAppAsync("app", ct, "openid", "offline_access", Scope);
            for (var i = 0; i < Apis; i++)
            {
                apis.Add(await Follower.StartAsync(follower, http, ct));
            }

            var propagation = new Propagation(cluster, app, apis, people, database, output);
            await output.WriteLineAsync("| propagation | endings | checks /s | p99 of checks, ms | p50 ms | p99 ms | max ms | target | met |".AsMemory(), ct);
            await output.WriteLineAsync("|---|---:|---:|---:|---:|---:|---:|---|---|".AsMemory(), ct);
            await propagation.MeasureAsync("with NOTIFY", hasBell: true, ct);
            await LetNotifyAsync(database, "", ct);
            await propagation.MeasureAsync("without", hasBell: false, ct);
        }
        finally
        {
            foreach (var api in apis)
            {
                await api.DisposeAsync();
            }

            if (nginx is not null)
            {
                await nginx.DisposeAsync();
            }
        }
    }

    private async Task MeasureAsync(string name, bool hasBell, CancellationToken ct)
    {
        var things = await SignInAsync(Endings, ct);
        var checks = new Checks(app, [.. things, .. await SignInAsync(Alive, ct)], TimeSpan.FromMilliseconds(MostEver));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var rings = CountRingsAsync(stop.Token);
        var begin = Stopwatch.GetTimestamp();
        var checking = checks.RunAsync(stop.Token);
        await Task.Delay(WarmUp, ct);

        var ending = new List<Task<(double Nodes, double Apis)>>();
        for (var i = 0; i < things.Count; i++)
        {
            // At a steady pace, however long the one before takes.
            if (WarmUp + (BetweenEndings * i) - Stopwatch.GetElapsedTime(begin) is var early && early > TimeSpan.Zero)
            {
                await Task.Delay(early, ct);
            }

            ending.Add(EndAsync(things[i], i, ct));
        }

        var ended = await Task.WhenAll(ending);
        var perSecond = checks.Count / Stopwatch.GetElapsedTime(begin).TotalSeconds;
        await Task.Delay(TimeSpan.FromMilliseconds(MostEver), ct);
        await stop.CancelAsync();
        await checking;
        Require(checks.Wrong.Count == 0, $"{checks.Wrong.Count} of {checks.Count} checks were wrong: {checks.Wrong.FirstOrDefault()}.");
        Require(await rings > 0 == hasBell, $"It rang {await rings} times.");
        foreach (var thing in things)
        {
            await RequireDeadAsync(thing, ct);
        }

        await SayAsync($"{name}, nodes", $"{perSecond:F0} | {checks.P99:F1}", [.. ended.Select(each => each.Nodes)], ct);
        await SayAsync($"{name}, APIs that follow the feed", " | ", [.. ended.Select(each => each.Apis)], ct);
    }

    private async Task SayAsync(string name, string checks, double[] milliseconds, CancellationToken ct)
    {
        var (p50, p99, most) = (Percentile.Of(milliseconds, 0.5), Percentile.Of(milliseconds, 0.99), milliseconds.Max());
        var isMet = p99 < MostP99 && most < MostEver;
        await output.WriteLineAsync(
            $"| {name} | {milliseconds.Length} | {checks} | {p50:F0} | {p99:F0} | {most:F0} | p99 < {MostP99:F0}, max < {MostEver:F0} ms | {(isMet ? "yes" : "NO")} |".AsMemory(),
            ct);
    }

    /// <summary>Ends one at whichever node nginx chooses; answers how many milliseconds later the last node refused it, and the last API.</summary>
    private async Task<(double Nodes, double Apis)> EndAsync(Held thing, int number, CancellationToken ct)
    {
        // Every node has called it alive: each remembers it.
        foreach (var node in cluster.Addresses)
        {
            Require((await app.At(node).IntrospectAsync(thing.Tokens.AccessToken!, ct)).IsActive, "A token was dead before its end.");
        }

        foreach (var api in apis)
        {
            Require(await api.TakesAsync(thing.Tokens.AccessToken!, ct) == true, "An API did not take a token before its end.");
        }

        await thing.EndAsync(() => (number % 3) switch
        {
            0 => RevokeAsync(thing.Tokens.AccessToken!, ct),
            1 => RevokeAsync(thing.Tokens.RefreshToken!, ct),
            _ => cluster.EndAsync(new Uri(cluster.Provider.Issuer), $"/sessions/{thing.Tokens.IdToken!["sid"]}", ct),
        });
        var byNodes = Task.WhenAll(cluster.Addresses.Select(node => RefusedAfterAsync(
            thing, async () => await app.At(node).IntrospectAsync(thing.Tokens.AccessToken!, ct) is { Status: 200, IsActive: false }, ct)));
        var byApis = Task.WhenAll(apis.Select(api => RefusedAfterAsync(
            thing, async () => await api.TakesAsync(thing.Tokens.AccessToken!, ct) == false, ct)));
        return ((await byNodes).Max(), (await byApis).Max());
    }

    private static async Task<double> RefusedAfterAsync(Held thing, Func<Task<bool>> isRefusedAsync, CancellationToken ct)
    {
        while (thing.SinceAnswer < GiveUp && !await isRefusedAsync())
        {
            await Task.Delay(BetweenLooks, ct);
        }

        return thing.SinceAnswer!.Value.TotalMilliseconds;
    }

    private async Task RequireDeadAsync(Held thing, CancellationToken ct)
    {
        foreach (var node in cluster.Addresses)
        {
            Require(!(await app.At(node).IntrospectAsync(thing.Tokens.AccessToken!, ct)).IsActive, "Introspection called it alive again.");
            Require((await app.At(node).UserInfoAsync(thing.Tokens.AccessToken!, ct)).Status == 401, "UserInfo did not refuse it.");
        }
    }

    private async Task RevokeAsync(string token, CancellationToken ct) =>
        Require((await app.RevokeAsync(token, ct)).Status == 200, "A token was not revoked.");

    private async Task<IReadOnlyList<Held>> SignInAsync(int count, CancellationToken ct)
    {
        // Each in a session of its own. Nobody signs in twice at once: that would be taken for guessing.
        var things = await Task.WhenAll(people.Select(async (person, turn) =>
        {
            var own = new List<Held>();
            for (var i = turn; i < count; i += people.Count)
            {
                own.Add(new Held(await app.SignInAsync(person, $"openid offline_access {Scope}", ct)));
            }

            return own;
        }));
        return [.. things.SelectMany(own => own)];
    }

    /// <summary>Says what a node does that notifies; nothing: the others find out by looking.</summary>
    private static async Task LetNotifyAsync(string database, string what, CancellationToken ct)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync(ct);
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // texts of this file
        command.CommandText = $"CREATE OR REPLACE FUNCTION public.pg_notify(text, text) RETURNS void LANGUAGE plpgsql AS 'BEGIN {what} END'";
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync(ct);
    }

    private async Task<int> CountRingsAsync(CancellationToken stop)
    {
        var rings = 0;
        await using var connection = new NpgsqlConnection(database);
        connection.Notification += (_, _) => rings++;
        try
        {
            await connection.OpenAsync(stop);
            await using var listen = new NpgsqlCommand($"LISTEN {Channel}", connection);
            await listen.ExecuteNonQueryAsync(stop);
            while (true)
            {
                await connection.WaitAsync(stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return rings;
        }
    }

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new InvalidOperationException(otherwise);
        }
    }
}
