using System.Text.Json.Nodes;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Commands;

/// <summary>The contract of <c>sessions</c> and <c>grants</c> that scripts rely on, against a server in a process of its own.</summary>
public sealed class SessionCommandTests
{
    private const int Refused = 1;
    private const int Usage = 2;
    private const string RedirectUri = "https://rp.example/callback";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Sessions_and_grants_are_listed_and_ended_and_the_command_waits_until_it_holds()
    {
        await using var folder = await ServerFolder.CreateAsync(Ct);
        var places = Path.Combine(folder.Path, "places.csv");
        await File.WriteAllTextAsync(places, "127.0.0.0,127.255.255.255,DK,56.2,10.2\n", Ct);
        folder.Environment["IdentityServer__Risk__LocationFile"] = places;
        (await RunAsync(folder, "migrate", "up")).Expect();
        var person = new Person("alice", "nine lilac umbrellas wait");
        (await folder.RunAsync(["users", "add", "alice", "--email", "alice@example.com", "--password-stdin"], person.Password, Ct)).Expect();
        var client = (await RunAsync(folder, "clients", "add", "app", "--type", "web", "--redirect-uri", RedirectUri, "--no-consent", "--json")).Json;
        await using var server = await folder.StartAsync(Ct);
        using var http = Browser.CreateClient(TimeSpan.FromSeconds(20));
        var app = new RelyingParty
        {
            Http = http,
            Provider = await OpenIdProvider.DiscoverAsync(http, folder.Issuer, Ct),
            Clock = TimeProvider.System,
            ClientId = "app",
            Secret = (string)client["client_secret"]!,
            RedirectUri = RedirectUri,
        };

        // One session by its id.
        var first = await SignInAsync(app, person);
        var second = await SignInAsync(app, person);
        var listed = JsonNode.Parse((await RunAsync(folder, "sessions", "list", "--user", "alice", "--json")).Output)!.AsArray();
        Assert.Equal(2, listed.Count);
        Assert.Equal(("alice", "app"), ((string)listed[0]!["userName"]!, (string)listed[0]!["clients"]![0]!));
        Assert.Equal(("127.0.0.1", "DK"), ((string)listed[0]!["address"]!, (string)listed[0]!["country"]!));
        var sid = (string)first.IdToken!["sid"]!;
        var receipt = Assert.Single(JsonNode.Parse((await RunAsync(
            folder, "sessions", "end", sid, "--reason", "laptop stolen", "--wait", "--json")).Output)!.AsArray())!;
        Assert.True((bool)receipt["complete"]!);
        Assert.True((bool)Assert.Single(receipt["nodes"]!.AsArray())!["confirmed"]!);
        Assert.Equal((sid, 1, 1), ((string)receipt["sid"]!, (int)receipt["sessions"]!, (int)receipt["grants"]!));

        // Waited for, so it holds in the memory of the server too.
        Assert.False((await app.IntrospectAsync(first.AccessToken!, Ct)).IsActive);
        Assert.True((await app.IntrospectAsync(second.AccessToken!, Ct)).IsActive);

        // One grant.
        var third = await SignInAsync(app, person);
        var gid = (string)Jwt.Parse(third.AccessToken!).Claims["gid"]!;
        Assert.Contains(gid, (await RunAsync(folder, "grants", "list", "--client", "app")).Output, StringComparison.Ordinal);
        (await RunAsync(folder, "grants", "end", gid, "--reason", "not needed", "--wait")).Expect();
        Assert.Equal("invalid_grant", (await app.RefreshAsync(third.RefreshToken!, Ct)).Error);

        // All of a person; what many have is described first.
        var said = await RunAsync(folder, "sessions", "end", "--user", "alice@example.com", "--reason", "left", "--wait");
        said.Expect();
        Assert.Contains("1 of 1 refuse it", said.Output, StringComparison.Ordinal);
        Assert.Contains("still exposed     until", said.Output, StringComparison.Ordinal);
        Assert.False((await app.IntrospectAsync(second.AccessToken!, Ct)).IsActive);
        Assert.Equal("[]", (await RunAsync(folder, "sessions", "list", "--json")).Output.Trim());
        var fourth = await SignInAsync(app, person);
        var asked = await RunAsync(folder, "sessions", "end", "--all", "--reason", "drill");
        Assert.Equal(Refused, asked.ExitCode);
        Assert.Contains("--yes", asked.Errors, StringComparison.Ordinal);
        Assert.True((await app.IntrospectAsync(fourth.AccessToken!, Ct)).IsActive);
        (await RunAsync(folder, "sessions", "end", "--all", "--reason", "drill", "--yes", "--wait")).Expect();
        Assert.False((await app.IntrospectAsync(fourth.AccessToken!, Ct)).IsActive);

        await RefuseAsync(folder);
    }

    private static async Task RefuseAsync(ServerFolder folder)
    {
        (string[] Arguments, int Code, string Why)[] cases =
        [
            (["sessions", "end", "--reason", "x"], Usage, "Name one session"),
            (["sessions", "end", "abc", "--user", "alice", "--reason", "x"], Usage, "Name one session"),
            (["sessions", "end", "--user", "alice"], Usage, "--reason"),
            (["sessions", "end", "--before", "soon", "--reason", "x"], Usage, "no instant"),
            (["sessions", "end", "--before", "2999-01-01", "--reason", "x", "--yes"], Refused, "still to come"),
            (["sessions", "end", "unknown", "--reason", "x"], Refused, "no such session"),
            (["sessions", "end", "--user", "nobody", "--reason", "x"], Refused, "no such person"),
            (["sessions", "end", "--client", "nothing", "--reason", "x", "--yes"], Refused, "no such client"),
            (["sessions", "end", "--user", "alice", "--reason", new string('x', 10_000)], Refused, "reason"),
            (["grants", "end", "--reason", "x"], Usage, "Name one grant"),
            (["grants", "end", "--user", "alice", "--reason", "x"], Usage, "--client"),
            (["grants", "end", "unknown", "--reason", "x"], Refused, "no such grant"),
            (["sessions", "list", "--user", "nobody"], Refused, "no such person"),
        ];
        foreach (var (arguments, code, why) in cases)
        {
            var result = await RunAsync(folder, arguments);
            Assert.Equal((code, true), (result.ExitCode, result.Errors.Contains(why, StringComparison.Ordinal)));
        }
    }

    private static Task<CommandResult> RunAsync(ServerFolder folder, params string[] arguments) => folder.RunAsync(arguments, null, Ct);

    private static async Task<TokenAnswer> SignInAsync(RelyingParty app, Person person) =>
        await app.ExchangeAsync(await app.AuthorizeAsync(new Browser(app.Http), app.Attempt("openid offline_access"), person, Ct), Ct);
}
