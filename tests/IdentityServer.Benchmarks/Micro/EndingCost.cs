using System.Diagnostics;
using System.Globalization;
using IdentityServer.Benchmarks.Targets;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Storage;
using IdentityServer.Storage.Cleanup;
using IdentityServer.Storage.Grants;
using IdentityServer.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.Benchmarks.Micro;

/// <summary>
/// What it costs to end all that a person has, however much that is, and what the tidying up afterwards does to everybody else. Server and
/// load share this process and its processors.
/// </summary>
internal static class EndingCost
{
    private const int Many = 100_000;
    private const int PerSession = 100;
    private const int Endings = 41;
    private const string ClientId = "app";

    public static async Task RunAsync(BenchmarkOptions options, TextWriter output, CancellationToken ct)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        foreach (var provider in options.Providers)
        {
            await using var postgres = provider == Product.PostgreSql ? await PostgresServer.StartAsync(durable: true, ct) : null;
            var database = postgres is null ? null : await postgres.CreateDatabaseAsync(ct);
            await using var server = await ServerFixture.StartAsync(ct, settings =>
            {
                if (database is not null)
                {
                    settings["IdentityServer:Database:Provider"] = provider;
                    settings["IdentityServer:Database:ConnectionString"] = database;
                }
            });
            await MeasureAsync(provider, server, output, ct);
        }
    }

    private static async Task MeasureAsync(string provider, ServerFixture server, TextWriter output, CancellationToken ct)
    {
        var app = await server.AddWebAppAsync(ClientId, ct, client => client with { RequireConsent = false });
        var alice = await server.AddPersonAsync("alice", ct);
        var (one, many) = (Handle.NewId(), Handle.NewId());
        await AddAsync(server, one, 1, ct);
        await AddAsync(server, many, Many, ct);

        // 1 turn about, so that whatever else happens on the machine happens to both
        var revoker = server.Services.GetRequiredService<Revoker>();
        var (ofOne, ofMany) = (new List<double>(), new List<double>());
        for (var i = 0; i < Endings; i++)
        {
            ofOne.Add(await TimeAsync(() => EndAsync(one)));
            ofMany.Add(await TimeAsync(() => EndAsync(many)));
        }

        var ratio = Median(ofMany) / Median(ofOne);
        await SayAsync(
            output,
            $"{provider}: ending a person with 1 live refresh token {Median(ofOne):0.00} ms, with {Many} {Median(ofMany):0.00} ms "
            + $"(medians of {Endings}); ratio {ratio:0.00} (target < 2: {(ratio < 2 ? "met" : "missed")})",
            ct);

        // 2 one person refreshes as fast as they can, alone and beside the tidying up
        var quiet = await RefreshAsync(server, app, alice, Task.Delay(TimeSpan.FromSeconds(8), ct), ct);
        server.Clock.Advance(TimeSpan.FromMinutes(6));
        var marks = server.Services.GetRequiredService<ICutoffMarks>();
        var marked = 0;
        var marking = await BesideAsync(async () => marked = await marks.MarkAsync(server.Clock.GetUtcNow(), ct));
        await SayPruningAsync("marked as ended", marked, marking);

        server.Clock.Advance(TimeSpan.FromDays(120));
        var expired = server.Services.GetRequiredService<IExpiredRows>();
        var deleted = 0;
        var deleting = await BesideAsync(async () =>
        {
            while (await expired.DeleteAsync(server.Clock.GetUtcNow(), ct) is { Count: > 0 } rows && rows.Values.Sum() is > 0 and var more)
            {
                deleted += more;
            }
        });
        await SayPruningAsync("deleted", deleted, deleting);

        async Task EndAsync(string subject) => Check.That(
            await revoker.EndPersonAsync(subject, null, null, new Cause("benchmark", "benchmark", null), ct) is not null, "Nothing was ended.");

        async Task<(List<double> Refreshes, TimeSpan Took)> BesideAsync(Func<Task> tidyAsync)
        {
            var start = Stopwatch.GetTimestamp();
            var tidying = Task.Run(tidyAsync, ct);
            var times = await RefreshAsync(server, app, alice, tidying, ct);
            await tidying;
            return (times, Stopwatch.GetElapsedTime(start));
        }

        Task SayPruningAsync(string what, int rows, (List<double> Refreshes, TimeSpan Took) beside)
        {
            var slower = beside.Refreshes.Average() / quiet.Average();
            return SayAsync(
                output,
                $"{provider}: {rows} rows {what} in {beside.Took.TotalSeconds:0.0} s; "
                + $"a refresh takes {quiet.Average():0.00} ms alone and {beside.Refreshes.Average():0.00} ms beside it (means of {quiet.Count} and "
                + $"{beside.Refreshes.Count}; the longest {quiet.Max():0.0} and {beside.Refreshes.Max():0.0} ms); ratio {slower:0.00} (target <= 1.10: {(slower <= 1.10 ? "met" : "missed")})",
                ct);
        }
    }

    private static async Task<List<double>> RefreshAsync(ServerFixture server, RelyingParty app, Person alice, Task until, CancellationToken ct)
    {
        var token = (await app.SignInAsync(alice, "openid offline_access", ct)).RefreshToken!;
        var times = new List<double>();
        do
        {
            var start = Stopwatch.GetTimestamp();
            var answer = await app.RefreshAsync(token, ct);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            token = answer.RefreshToken ?? throw new InvalidOperationException($"The refresh was answered {answer}.");
        }
        while (!until.IsCompleted);
        return times;
    }

    /// <summary>Rows as the pages would have written them, but in bulk.</summary>
    private static async Task AddAsync(ServerFixture server, string subject, int tokens, CancellationToken ct)
    {
        var now = server.Clock.GetUtcNow();
        var databases = server.Services.GetRequiredService<IDbContextFactory<ServerDb>>();
        for (var added = 0; added < tokens;)
        {
            await using var db = await databases.CreateDbContextAsync(ct);
            for (var session = 0; session < 20 && added < tokens; session++)
            {
                var id = Handle.NewId();
                var opened = db.Sessions.Add(new Session
                {
                    Id = id,
                    Subject = subject,
                    AuthenticatedAt = now,
                    Amr = ["pwd"],
                    Acr = AcrValues.Password,
                    CreatedAt = now,
                    LastSeenAt = now,
                    IdleLifetime = TimeSpan.FromDays(14),
                    ExpiresAt = now.AddDays(30),
                    KeepSignedIn = true,
                });
                opened.Property("HandleHash").CurrentValue = Handle.Create().Hash;
                for (var i = 0; i < PerSession && added < tokens; i++, added++)
                {
                    var grant = Handle.NewId();
                    db.Grants.Add(new Grant
                    {
                        Id = grant,
                        ClientId = ClientId,
                        Subject = subject,
                        SessionId = id,
                        Scopes = ["openid", "offline_access"],
                        GrantedAt = now,
                        ExpiresAt = now.AddDays(90),
                        IsOffline = true,
                        AuthenticatedAt = now,
                        Amr = ["pwd"],
                        Acr = AcrValues.Password,
                    });
                    db.Tokens.Add(new TokenRow
                    {
                        Hash = Handle.Create().Hash,
                        Kind = TokenKind.Refresh,
                        ClientId = ClientId,
                        GrantId = grant,
                        IssuedAt = now,
                        ExpiresAt = now.AddDays(30),
                    });
                }
            }

            await db.SaveChangesAsync(ct);
        }
    }

    private static async Task<double> TimeAsync(Func<Task> doAsync)
    {
        var start = Stopwatch.GetTimestamp();
        await doAsync();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static async Task SayAsync(TextWriter output, string line, CancellationToken ct)
    {
        await output.WriteLineAsync(line.AsMemory(), ct);
        await output.FlushAsync(ct);
    }
}
