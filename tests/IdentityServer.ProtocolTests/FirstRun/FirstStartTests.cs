using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using IdentityServer.FirstRun;
using IdentityServer.ProtocolTests.Commands;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.FirstRun;

/// <summary>What a person meets who starts the real program for the first time.</summary>
public sealed partial class FirstStartTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Development_starts_with_a_demo_and_says_how_to_use_it()
    {
        await using var folder = await DevelopmentAsync();
        string firstOutput;
        await using (var server = await folder.StartAsync(Ct))
        {
            firstOutput = await GreetingAsync(server, "keys list");
            Assert.Contains($"IdentityServer is at {folder.Issuer} (Development)", firstOutput, StringComparison.Ordinal);
            Assert.All(Demo.People, person => Assert.Contains(person.Password, firstOutput, StringComparison.Ordinal));
            Assert.DoesNotContain("/setup?code=", firstOutput, StringComparison.Ordinal);

            // The printed command, as curl would send it.
            Assert.Contains(
                $"curl -s -u {Demo.ServiceClient}:{Demo.ServiceSecret} -d grant_type=client_credentials -d scope=orders.read {folder.Issuer}/connect/token",
                firstOutput,
                StringComparison.Ordinal);
            Assert.Equal(HttpStatusCode.OK, await ServiceTokenStatusAsync(folder, Demo.ServiceClient, Demo.ServiceSecret));
        }

        var key = await File.ReadAllTextAsync($"{folder.Path}/made.key", Ct);
        Assert.Contains("DEVELOPMENT MASTER KEY", key, StringComparison.Ordinal);
        var clients = JsonNode.Parse((await folder.RunAsync(["clients", "list", "--json"], null, Ct)).Successful().Output)!.AsArray();
        Assert.Equal(
            [Demo.NativeClient, Demo.ServiceClient, Demo.SpaClient, Demo.WebClient, Demo.Api],
            clients.Select(client => (string)client!["client_id"]!).Order(StringComparer.Ordinal));

        // Nobody else starts on known secrets, nor with a key made for Development.
        folder.Environment["ASPNETCORE_ENVIRONMENT"] = "Production";
        Assert.Equal(4, (await folder.RunAsync(["serve"], null, Ct)).ExitCode);
        folder.Environment["IdentityServer__MasterKey__Path"] = $"{folder.Path}/master.key";
        var other = await folder.RunAsync(["serve"], null, Ct);
        Assert.NotEqual(0, other.ExitCode);
        Assert.DoesNotContain("   at ", other.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_demo_is_planted_in_an_empty_database_only()
    {
        await using var folder = await DevelopmentAsync();
        (await folder.RunAsync(["clients", "add", "mine", "--type", "service"], null, Ct)).Expect();

        await using (var server = await folder.StartAsync(Ct))
        {
            var greeting = await GreetingAsync(server, "/setup?code=");
            Assert.DoesNotContain(Demo.People[0].Password, greeting, StringComparison.Ordinal);
        }

        var listed = (await folder.RunAsync(["clients", "list"], null, Ct)).Successful().Output;
        Assert.DoesNotContain(Demo.WebClient, listed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Production_invites_the_first_admin_once()
    {
        await using var folder = await ServerFolder.CreateAsync(Ct);
        (await folder.RunAsync(["migrate", "up"], null, Ct)).Expect();
        using var http = Browser.CreateClient();

        string firstLink;
        await using (var server = await folder.StartAsync(Ct))
        {
            firstLink = LinkIn(await GreetingAsync(server, "/setup?code="), folder);
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(http, firstLink));
            AssertNotLogged(server, firstLink);
        }

        await using (var server = await folder.StartAsync(Ct))
        {
            var secondLink = LinkIn(await GreetingAsync(server, "/setup?code="), folder);
            Assert.NotEqual(firstLink, secondLink);
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(http, firstLink));
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(http, secondLink));

            (await folder.RunAsync(
                ["users", "add", "root", "--email", "root@example.com", "--password-stdin", "--role", "admin"],
                "teapot-lantern-orchard-violin",
                Ct)).Expect();
            Assert.NotEqual(HttpStatusCode.OK, await StatusAsync(http, firstLink));
            Assert.NotEqual(HttpStatusCode.OK, await StatusAsync(http, secondLink));
        }

        await using (var server = await folder.StartAsync(Ct))
        {
            var greeting = await GreetingAsync(server, "(Production)");
            Assert.DoesNotContain("/setup?code=", greeting, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_demo_database_does_not_serve_in_Production()
    {
        await using var folder = await DevelopmentAsync();
        folder.Environment["IdentityServer__MasterKey__Path"] = $"{folder.Path}/master.key";
        await using (await folder.StartAsync(Ct))
        {
        }

        folder.Environment["ASPNETCORE_ENVIRONMENT"] = "Production";
        var refused = await folder.RunAsync(["serve"], null, Ct);

        Assert.Equal(3, refused.ExitCode);
        Assert.Contains("demo of Development", refused.Errors, StringComparison.Ordinal);
        Assert.Empty(refused.Output);
    }

    [Fact]
    public async Task A_lost_master_key_is_never_replaced()
    {
        await using var folder = await DevelopmentAsync();
        await using (await folder.StartAsync(Ct))
        {
        }

        File.Delete($"{folder.Path}/made.key");
        var lost = await folder.RunAsync(["serve"], null, Ct);
        Assert.Equal(4, lost.ExitCode);
        Assert.Contains("No new key was made", lost.Errors, StringComparison.Ordinal);
        Assert.False(File.Exists($"{folder.Path}/made.key"));

        folder.Environment["IdentityServer__MasterKey__Path"] = $"{folder.Path}/master.key";
        var wrong = await folder.RunAsync(["serve"], null, Ct);
        Assert.Equal(4, wrong.ExitCode);
        Assert.DoesNotContain("   at ", wrong.Errors, StringComparison.Ordinal);
        Assert.Equal(4, JsonNode.Parse((await folder.RunAsync(["keys", "list", "--json"], null, Ct)).Successful().Output)!.AsArray().Count);
    }

    [Fact]
    public async Task What_a_command_changes_the_running_server_knows()
    {
        await using var folder = await ServerFolder.CreateAsync(Ct);
        (await folder.RunAsync(["migrate", "up"], null, Ct)).Expect();
        await using var server = await folder.StartAsync(Ct);

        (await folder.RunAsync(["scopes", "add", "live.read"], null, Ct)).Expect();
        var client = (await folder.RunAsync(["clients", "add", "live", "--type", "service", "--scope", "live.read", "--json"], null, Ct)).Json;
        var secret = (string)client["client_secret"]!;
        await UntilAsync(folder, secret, HttpStatusCode.OK);

        (await folder.RunAsync(["clients", "rotate-secret", "live", "--expire-old", "0"], null, Ct)).Expect();
        await UntilAsync(folder, secret, HttpStatusCode.Unauthorized);

        (await folder.RunAsync(["clients", "remove", "live"], null, Ct)).Expect();
        await UntilAsync(folder, secret, HttpStatusCode.Unauthorized);
        var keys = JsonNode.Parse((await folder.RunAsync(["keys", "list", "--json"], null, Ct)).Successful().Output)!.AsArray();
        Assert.Equal(["ES256", "ES384", "PS256", "RS256"], keys.Select(key => (string)key!["alg"]!).Order(StringComparer.Ordinal));
        Assert.All(keys, key =>
        {
            Assert.Equal("active", (string?)key!["state"]);
            Assert.NotNull((string?)key["createdAt"]);
            Assert.NotNull((string?)key["activeFrom"]);
            Assert.True(key.AsObject().ContainsKey("retiresAt") && key.AsObject().ContainsKey("erasedAt"));
        });
    }

    private static async Task<ServerFolder> DevelopmentAsync()
    {
        var folder = await ServerFolder.CreateAsync(Ct);
        folder.Environment["ASPNETCORE_ENVIRONMENT"] = "Development";
        folder.Environment["IdentityServer__MasterKey__Path"] = $"{folder.Path}/made.key";
        return folder;
    }

    // The server answers a moment before it greets.
    private static async Task<string> GreetingAsync(ServerProcess server, string last)
    {
        while (!server.Log.Contains(last, StringComparison.Ordinal))
        {
            await Task.Delay(10, Ct);
        }

        return server.Log;
    }

    private static async Task UntilAsync(ServerFolder folder, string secret, HttpStatusCode expected)
    {
        while (await ServiceTokenStatusAsync(folder, "live", secret) != expected)
        {
            await Task.Delay(20, Ct);
        }
    }

    private static async Task<HttpStatusCode> ServiceTokenStatusAsync(ServerFolder folder, string id, string secret)
    {
        using var http = Browser.CreateClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(folder.Address, "/connect/token"))
        {
            Content = new FormUrlEncodedContent(new Dictionary<string, string> { ["grant_type"] = "client_credentials" }),
        };
        request.Headers.Authorization = new("Basic", Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{id}:{secret}")));
        using var response = await http.SendAsync(request, Ct);
        return response.StatusCode;
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient http, string link)
    {
        using var response = await http.GetAsync(new Uri(link), Ct);
        return response.StatusCode;
    }

    private static string LinkIn(string greeting, ServerFolder folder)
    {
        var link = SetupLink.Match(greeting).Value;
        Assert.StartsWith($"{folder.Issuer}/setup?code=", link, StringComparison.Ordinal);
        return link;
    }

    private static void AssertNotLogged(ServerProcess server, string link)
    {
        var code = link[(link.IndexOf('=', StringComparison.Ordinal) + 1)..];
        Assert.DoesNotContain(
            server.Log.Split('\n'), line => line.StartsWith('{') && line.Contains(code, StringComparison.Ordinal));
    }

    [GeneratedRegex(@"http://\S+/setup\?code=[A-Za-z0-9_-]{43}", RegexOptions.None, 1000)]
    private static partial Regex SetupLink { get; }
}
