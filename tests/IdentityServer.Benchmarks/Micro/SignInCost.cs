using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using IdentityServer.SignIn;
using IdentityServer.Storage.Users;
using IdentityServer.Testing;
using Person = IdentityServer.Testing.Person;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.Benchmarks.Micro;

/// <summary>
/// What signing in costs: one password hash; how many people sign in per second; whether known and unknown names take the same time; and what
/// a flood of guesses does to the token endpoint. Server and load share this process and its processors.
/// </summary>
internal static class SignInCost
{
    private const int Pairs = 400;
    private const string Wrong = "not the password of anybody";
    private static readonly TimeSpan Time = TimeSpan.FromSeconds(6);
    private const int Flooders = 32;

    private static readonly TimeSpan BetweenGuesses = TimeSpan.FromMilliseconds(320);
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(5);

    public static async Task RunAsync(TextWriter output, CancellationToken ct)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        await using var server = await ServerFixture.StartAsync(
            ct,
            settings => settings["IdentityServer:Proxies:Trusted:0"] = "127.0.0.1",
            services => services.PostConfigure<PasswordHasherOptions>(options => options.IterationCount = NormalizingPasswordHasher.Iterations));
        var app = await server.AddWebAppAsync("app", ct, client => client with { RequireConsent = false });
        var people = new List<Person>();
        for (var i = 0; i < Pairs / 4; i++)
        {
            people.Add(await server.AddPersonAsync($"person{i}", ct));
        }

        await HashAsync(server, output, ct);
        await SignInsAsync(server, app, people, output, ct);
        await NamesAsync(server, people, output, ct);
        await FloodAsync(server, app, output, ct);
    }

    private static async Task HashAsync(ServerFixture server, TextWriter output, CancellationToken ct)
    {
        await using var scope = server.Services.CreateAsyncScope();
        var hasher = scope.ServiceProvider.GetRequiredService<IPasswordHasher<User>>();
        var hash = hasher.HashPassword(new User(), Wrong);
        var times = new List<double>();
        for (var i = 0; i < 20; i++)
        {
            var start = Stopwatch.GetTimestamp();
            hasher.VerifyHashedPassword(new User(), hash, Wrong);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        await SayAsync(output, $"password hash, PBKDF2-HMAC-SHA512 {NormalizingPasswordHasher.Iterations} rounds: {Median(times):0.0} ms (median of 20)", ct);
    }

    private static async Task SignInsAsync(
        ServerFixture server, RelyingParty app, List<Person> people, TextWriter output, CancellationToken ct)
    {
        var count = 0;
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async worker =>
        {
            for (var i = worker; Stopwatch.GetElapsedTime(start) < Time; i += 8)
            {
                var walk = await app.AuthorizeAsync(From($"172.16.{i % 250}.1", server), app.Attempt(), people[i % people.Count], ct);
                Check.That(walk.Answer?.Code is not null, "A sign-in failed.");
                Interlocked.Increment(ref count);
            }
        }));
        var rate = count / Stopwatch.GetElapsedTime(start).TotalSeconds;
        await SayAsync(output, $"sign-ins with a password, app to app, 8 at once: {rate:0.0} per second", ct);
    }

    private static async Task NamesAsync(ServerFixture server, List<Person> people, TextWriter output, CancellationToken ct)
    {
        var (known, unknown) = (new List<double>(), new List<double>());
        for (var i = 0; i < Pairs; i++)
        {
            // Turn about, so that whatever else happens on the machine happens to both. Four tries a name are never made to wait.
            known.Add(await TryAsync(server, people[i % people.Count].UserName, i, ct));
            unknown.Add(await TryAsync(server, $"nobody{i % people.Count}", i, ct));
        }

        await SayAsync(
            output,
            $"wrong password, {Pairs} tries each: known name {Median(known):0.00} ms, unknown name {Median(unknown):0.00} ms (medians); "
            + $"ratio {Median(known) / Median(unknown):0.000}; rank test z = {RankZ(known, unknown):0.00} (|z| < 2.58: no difference at 1 %)",
            ct);
    }

    private static async Task<double> TryAsync(ServerFixture server, string name, int i, CancellationToken ct)
    {
        var browser = From($"10.{i / 250}.{i % 250}.1", server);
        var page = await browser.OpenAsync(new Uri(server.Address, "/login"), ct);
        var start = Stopwatch.GetTimestamp();
        await browser.SignInAsync(page, new Person(name, Wrong), ct);
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private static async Task FloodAsync(ServerFixture server, RelyingParty app, TextWriter output, CancellationToken ct)
    {
        var quiet = await TokensAsync(app, ct);

        // Whoever floods takes processors too, as they are the same: visitors who guess nothing show how much of it that is.
        var (visited, _) = await UnderAsync(server, app, (browser, _, _, ct) => browser.OpenAsync(new Uri(server.Address, "/login"), ct), ct);
        var (guessed, answers) = await UnderAsync(
            server, app, (browser, page, name, ct) => browser.SignInAsync(page, new Person(name, Wrong), ct), ct);
        var (steadily, _) = await UnderAsync(
            server,
            app,
            async (browser, page, name, ct) =>
            {
                await Task.Delay(BetweenGuesses, ct);
                return await browser.SignInAsync(page, new Person(name, Wrong), ct);
            },
            ct);
        await SayAsync(
            output,
            $"client_credentials, one every {Pace.TotalMilliseconds} ms: p99 {quiet:0.0} ms quiet, {visited:0.0} ms under a flood of visitors, {guessed:0.0} ms under a flood of guesses; "
            + $"guesses to quiet {guessed / quiet:0.00}, to visitors {guessed / visited:0.00}; "
            + $"{steadily:0.0} ms under some {Flooders / BetweenGuesses.TotalSeconds:0} guesses per second, to quiet {steadily / quiet:0.00} "
            + $"(the guesses were answered: {string.Join(", ", answers.OrderBy(each => each.Key).Select(each => $"{each.Value} × {each.Key}"))})",
            ct);
    }

    private static async Task<(double P99, IReadOnlyDictionary<int, int> Answers)> UnderAsync(
        ServerFixture server, RelyingParty app, Func<Browser, Page, string, CancellationToken, Task<Page>> ask, CancellationToken ct)
    {
        using var flood = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var answers = new ConcurrentDictionary<int, int>();
        var attackers = Enumerable.Range(0, Flooders).Select(i => Task.Run(
            async () =>
            {
                var browser = From($"192.168.{i}.1", server);
                var page = await browser.OpenAsync(new Uri(server.Address, "/login"), flood.Token);
                for (var guess = 0; !flood.IsCancellationRequested; guess++)
                {
                    browser.Headers["X-Forwarded-For"] = $"10.{100 + (guess % 100)}.{i}.1";
                    var answer = await ask(browser, page, $"name{i}x{guess}", flood.Token);
                    answers.AddOrUpdate((int)answer.Status, 1, (_, known) => known + 1);
                }
            },
            flood.Token)).ToArray();
        await Task.Delay(TimeSpan.FromSeconds(1), ct);
        var p99 = await TokensAsync(app, ct);
        await flood.CancelAsync();
        await Task.WhenAll(attackers.Select(attacker => attacker.ContinueWith(_ => { }, TaskScheduler.Default)));
        return (p99, answers);
    }

    private static async Task<double> TokensAsync(RelyingParty app, CancellationToken ct)
    {
        var times = new List<double>();
        var begin = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begin) < Time)
        {
            var start = Stopwatch.GetTimestamp();
            Check.That((await app.ClientCredentialsAsync(null, ct)).Succeeded, "No token.");
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            await Task.Delay(Pace, ct);
        }

        return times.Order().ElementAt((int)(times.Count * 0.99));
    }

    private static Browser From(string address, ServerFixture server)
    {
        var browser = new Browser(server.Http);
        browser.Headers["X-Forwarded-For"] = address;
        return browser;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    // Mann and Whitney's U, as a normal deviate.
    private static double RankZ(List<double> one, List<double> other)
    {
        var ranks = one.Select(value => (value, IsOne: true)).Concat(other.Select(value => (value, IsOne: false)))
            .OrderBy(each => each.value).Select((each, i) => (each.IsOne, Rank: i + 1));
        double n = one.Count, m = other.Count;
        var u = ranks.Where(each => each.IsOne).Sum(each => (double)each.Rank) - (n * (n + 1) / 2);
        return (u - (n * m / 2)) / Math.Sqrt(n * m * (n + m + 1) / 12);
    }

    private static Task SayAsync(TextWriter output, string line, CancellationToken ct) => output.WriteLineAsync(line.AsMemory(), ct);
}
