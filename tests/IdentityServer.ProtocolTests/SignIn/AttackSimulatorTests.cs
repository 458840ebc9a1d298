using System.Net;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.ProtocolTests.SignIn;

/// <summary>
/// Twenty thousand guesses from two hundred addresses at fifty accounts, over half an hour of the server's clock. Nobody gets in, and
/// nobody who belongs there is kept out.
/// </summary>
public sealed class AttackSimulatorTests
{
    private const int Addresses = 200;
    private const int Accounts = 50;
    private const int GuessesEach = 100;
    private const int RoundsBetweenSignIns = 10;

    private static readonly TimeSpan Round = TimeSpan.FromSeconds(20);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Guessing_opens_no_account_keeps_no_owner_out_and_stops_no_service()
    {
        await using var server = await ServerFixture.StartAsync(Ct, settings => settings["IdentityServer:Proxies:Trusted:0"] = "127.0.0.1");
        var app = await server.AddWebAppAsync("app", Ct, client => client with { RequireConsent = false });
        var people = new List<Person>();
        for (var i = 0; i < Accounts; i++)
        {
            people.Add(await server.AddPersonAsync($"person{i}", Ct));
        }

        var owner = new Browser(server.Http);
        owner.Headers["X-Forwarded-For"] = "198.51.100.7";
        Assert.True(await SignsInAsync(app, owner, people[0]));
        var attackers = await Task.WhenAll(Enumerable.Range(0, Addresses).Select(i => Attacker.ArriveAsync(server, $"10.{i / 100}.{i % 100}.9", Ct)));
        server.Log.Clear();
        var memoryBefore = GC.GetTotalMemory(forceFullCollection: true);

        var (checkedGuesses, entered, failures) = (0, 0, 0);
        for (var round = 0; round < GuessesEach; round++)
        {
            var answers = await Task.WhenAll(attackers.Select((attacker, i) =>
                attacker.GuessAsync(people[((i * 7) + round) % Accounts].UserName, $"guess number {round} of many", Ct)));
            checkedGuesses += answers.Count(status => status == HttpStatusCode.SeeOther);
            entered += attackers.Count(attacker => attacker.IsIn);
            if (round % RoundsBetweenSignIns == 0)
            {
                server.Clock.Advance(TimeSpan.FromSeconds(1));
                Assert.True(await SignsInAsync(app, owner, people[0]), $"The owner was kept out in round {round}.");
            }

            failures += (await app.ClientCredentialsAsync(null, Ct)).Succeeded ? 0 : 1;
            server.Clock.Advance(Round);
        }

        Assert.Equal((0, 0), (entered, failures));
        Assert.InRange(checkedGuesses, Accounts, Accounts * 100);
        Assert.Empty(server.Log.Errors);
        server.Log.Clear();
        var growth = GC.GetTotalMemory(forceFullCollection: true) - memoryBefore;
        Assert.True(growth < 64 * 1024 * 1024, $"{growth / 1024 / 1024} MiB more are in use.");

        // However many they are, strangers get a hundred tries at an account, with waits between them. The owner who signs in ends the count.
        var owners = owner.Cookies.Value("identity.session") is { } handle
            ? (await server.Services.GetRequiredService<ISessionStore>().FindByHandleAsync(Handle.HashOf(handle), Ct))!.Subject
            : null;
        var tried = (await server.Services.GetRequiredService<IAuditLog>().LatestAsync(50_000, Ct))
            .Where(audit => audit is { Type: AuditTypes.SignInFailed, Outcome: "wrong_password" } && audit.Subject != owners)
            .GroupBy(audit => audit.Subject);
        Assert.All(tried, account => Assert.InRange(account.Count(), 1, 100));
    }

    private static async Task<bool> SignsInAsync(RelyingParty app, Browser browser, Person person) =>
        (await app.AuthorizeAsync(browser, app.Attempt().With("prompt", "login"), person, Ct)).Answer?.Code is not null;

    /// <summary>Somebody with an address of their own, who keeps one sign-in page open and types into it again and again.</summary>
    private sealed class Attacker(ServerFixture server, Browser browser, Page page)
    {
        public bool IsIn => browser.Cookies.Value("identity.session") is not null || browser.Cookies.Value("identity.partial") is not null;

        public static async Task<Attacker> ArriveAsync(ServerFixture server, string address, CancellationToken ct)
        {
            var browser = new Browser(server.Http);
            browser.Headers["X-Forwarded-For"] = address;
            return new Attacker(server, browser, await browser.OpenAsync(new Uri(server.Address, "/login"), ct));
        }

        public async Task<HttpStatusCode> GuessAsync(string userName, string password, CancellationToken ct)
        {
            var form = page.SignInForm!;
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server.Address, "/login"))
            {
                Content = new FormUrlEncodedContent(
                [
                    new("username", userName),
                    new("password", password),
                    new("__RequestVerificationToken", ((AngleSharp.Html.Dom.IHtmlInputElement)form["__RequestVerificationToken"]!).Value),
                ]),
            };
            return (await browser.SendAsync(request, ct)).Status;
        }
    }
}
