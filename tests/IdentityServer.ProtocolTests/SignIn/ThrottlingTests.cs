using System.Net;
using FsCheck;
using FsCheck.Fluent;
using IdentityServer.Storage.Throttling;
using IdentityServer.Testing;
using IdentityServer.Throttling;

namespace IdentityServer.ProtocolTests.SignIn;

/// <summary>Guessing is slow for strangers, from wherever they come, and costs the owner nothing.</summary>
public sealed class ThrottlingTests(ThrottlingTests.BehindProxy apps) : IClassFixture<ThrottlingTests.BehindProxy>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private MutableClock Clock => apps.Server.Clock;

    [Fact]
    public async Task One_network_gets_five_tries_at_an_account_and_each_wait_is_twice_the_last()
    {
        var person = await AddAsync();
        for (var guess = 0; guess < 5; guess++)
        {
            Assert.Equal(HttpStatusCode.OK, (await GuessAsync(person, "192.0.2.7")).Status);
        }

        foreach (var seconds in new[] { 30, 60, 120 })
        {
            var waiting = await GuessAsync(person, "192.0.2.200");
            Assert.Equal((HttpStatusCode.TooManyRequests, seconds), (waiting.Status, int.Parse(waiting.Header("Retry-After")!, null)));
            Clock.Advance(TimeSpan.FromSeconds(seconds));
            Assert.Equal(HttpStatusCode.OK, (await GuessAsync(person, "192.0.2.7")).Status);
        }

        Assert.True((await SignInAsync(person, "198.51.100.1")).Leaves, "Another network is not the guesser's.");
    }

    [Fact]
    public async Task All_strangers_together_get_twenty_tries_and_a_hundred_in_all()
    {
        var person = await AddAsync();
        var guesses = 0;
        for (var round = 0; guesses < 100; round++)
        {
            Assert.True(round < 200, "The end is never reached.");
            var answer = await GuessAsync(person, $"10.{round / 250}.{round % 250}.1");
            guesses += answer.Status == HttpStatusCode.OK ? 1 : 0;
            if (answer.Status == HttpStatusCode.TooManyRequests)
            {
                Assert.True(guesses >= 20);
                Clock.Advance(TimeSpan.FromSeconds(int.Parse(answer.Header("Retry-After")!, null)));
            }
        }

        Clock.Advance(TimeSpan.FromDays(365));
        var closed = await SignInAsync(person, "203.0.113.9");
        Assert.Equal(HttpStatusCode.TooManyRequests, closed.Status);
        Assert.Contains("This way is closed", closed.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_known_device_is_not_kept_out_by_strangers_and_opens_the_account_again()
    {
        var person = await AddAsync();
        var known = new Browser(apps.Http);
        known.Headers["X-Forwarded-For"] = "192.0.2.44";
        Assert.True((await SignInAsync(known, person)).Leaves);
        for (var guess = 0; guess < 25; guess++)
        {
            await GuessAsync(person, $"10.9.{guess}.1");
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, (await SignInAsync(person, "203.0.113.10")).Status);
        known.Cookies.Remove("identity.session");
        Assert.True((await SignInAsync(known, person)).Leaves);
        Assert.True((await SignInAsync(person, "203.0.113.10")).Leaves, "A success ends what strangers were counted for.");
    }

    [Fact]
    public async Task A_known_device_that_guesses_waits_too()
    {
        var person = await AddAsync();
        var known = new Browser(apps.Http);
        Assert.True((await SignInAsync(known, person)).Leaves);
        known.Cookies.Remove("identity.session");
        for (var guess = 0; guess < 10; guess++)
        {
            Assert.Equal(HttpStatusCode.OK, (await SignInAsync(known, person with { Password = "not the password at all" })).Status);
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, (await SignInAsync(known, person)).Status);
        Clock.Advance(TimeSpan.FromSeconds(30));
        Assert.True((await SignInAsync(known, person)).Leaves);
    }

    [Fact]
    public async Task Many_guesses_at_once_get_no_more_tries_than_one_after_the_other()
    {
        var person = await AddAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => GuessAsync(person, "192.0.2.99")));

        Assert.InRange(answers.Count(answer => answer.Status == HttpStatusCode.OK), 1, 5);
    }

    [Fact]
    public async Task A_person_who_mistypes_now_and_then_never_waits()
    {
        var person = await AddAsync();
        for (var round = 0; round < 5; round++)
        {
            for (var mistake = 0; mistake < 4; mistake++)
            {
                Assert.Equal(HttpStatusCode.OK, (await GuessAsync(person, "192.0.2.123")).Status);
            }

            Assert.True((await SignInAsync(person, "192.0.2.123")).Leaves);
        }
    }

    [Fact]
    public void Waits_grow_and_never_shrink_and_a_hundred_is_the_end() => Prop.ForAll<PositiveInt>(steps =>
    {
        var rule = new ThrottleRule(Free: 5, TimeSpan.FromSeconds(30), TimeSpan.FromHours(1), ForgetAfter: null, Most: 100);
        var now = DateTimeOffset.UnixEpoch;
        Attempts? seen = null;
        var longest = TimeSpan.Zero;
        for (var step = 1; step <= Math.Min(steps.Get, 100); step++)
        {
            seen = rule.Next("key", seen, now);
            var wait = (seen.BlockedUntil ?? now) - now;
            if (seen.Count != step || wait < longest || (step < 5 && wait > TimeSpan.Zero) || (step < 100 && wait > TimeSpan.FromHours(1))
                || (step == 100) != (seen.BlockedUntil == ThrottleRule.Never))
            {
                return false;
            }

            longest = wait;
        }

        return true;
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("192.0.2.7", "192.0.2.0/24")]
    [InlineData("::ffff:192.0.2.7", "192.0.2.0/24")]
    [InlineData("2001:db8:1:2::5", "2001:db8:1::/48")]
    [InlineData(null, "none")]
    public void A_network_is_what_one_subscriber_has(string? address, string network) =>
        Assert.Equal(network, Networks.Of(address is null ? null : IPAddress.Parse(address)));

    private Task<Person> AddAsync() => apps.Server.AddPersonAsync("p" + Guid.NewGuid().ToString("N"), Ct);

    private Task<Page> GuessAsync(Person person, string address) => SignInAsync(person with { Password = "not the password at all" }, address);

    private Task<Page> SignInAsync(Person person, string address)
    {
        var browser = new Browser(apps.Http);
        browser.Headers["X-Forwarded-For"] = address;
        return SignInAsync(browser, person);
    }

    private async Task<Page> SignInAsync(Browser browser, Person person) => await browser.SignInAsync(
        await browser.OpenAsync(apps.App.Attempt().With("prompt", "login").At(apps.App.Provider.Authorization), Ct), person, Ct);

    /// <summary>The server behind a proxy that says where a request came from.</summary>
    public sealed class BehindProxy : AppServer
    {
        public HttpClient Http => Server.Http;

        protected override void Configure(IDictionary<string, string?> settings) => settings["IdentityServer:Proxies:Trusted:0"] = "127.0.0.1";
    }
}
