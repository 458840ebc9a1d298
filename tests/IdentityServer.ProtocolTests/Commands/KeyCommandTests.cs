using System.Text.Json.Nodes;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Commands;

/// <summary>The key commands as an operator types them, beside a running server.</summary>
public sealed class KeyCommandTests
{
    private static readonly string[] Contract = ["kid", "alg", "state", "createdAt", "activeFrom", "retiresAt", "erasedAt"];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_day_in_the_life_of_the_keys()
    {
        await using var folder = await ServerFolder.CreateAsync(Ct);
        (await folder.RunAsync(["migrate", "up"], null, Ct)).Expect();
        var early = await folder.RunAsync(["keys", "schedule", "ES256", "--at", "+26h"], null, Ct);
        Assert.Equal(1, early.ExitCode);
        Assert.Contains("no ES256 keys yet", early.Errors, StringComparison.Ordinal);

        await using var server = await folder.StartAsync(Ct);
        var first = await ActiveAsync(folder, "ES256");
        Assert.All(await ListAsync(folder), key => Assert.All(Contract, name => Assert.True(key.ContainsKey(name), name)));

        // What is refused changes nothing and says why.
        await RefusedAsync(folder, "too early", "keys", "schedule", "ES256", "--at", "+2h");
        await RefusedAsync(folder, "not in the future", "keys", "schedule", "ES256", "--at", "2020-01-01T00:00:00Z");
        await RefusedAsync(folder, "not in the future", "keys", "schedule", "ES256", "--at", "2020-01-01T00:00:00Z", "--force");
        await RefusedAsync(folder, "farther than", "keys", "schedule", "ES256", "--at", "2999-01-01T00:00:00Z");
        await RefusedAsync(folder, "The field hour", "keys", "schedule", "ES256", "--cron", "0 25 * * *");
        await RefusedAsync(folder, "nonsense", "keys", "schedule", "ES256", "--cron", "0 9 1 * *", "--time-zone", "nonsense");
        await RefusedAsync(folder, "too short", "keys", "schedule", "ES256", "--cron", "* * * * *");
        await RefusedAsync(folder, "too short", "keys", "schedule", "ES256", "--every", "1h");
        await RefusedAsync(folder, "There is no algorithm", "keys", "schedule", "HS256", "--at", "+26h");
        await RefusedAsync(folder, "No rollover", "keys", "move", "ES256", "--at", "+26h");
        await RefusedAsync(folder, "No rollover", "keys", "cancel", "ES256");
        await RefusedAsync(folder, "no earlier ES256 key", "keys", "undo", "ES256");
        await RefusedAsync(folder, "There is no key", "keys", "show", "es2-nothing");
        await RefusedAsync(folder, "There is no key", "keys", "activate", "es2-nothing");
        await RefusedAsync(folder, "There is no key", "keys", "compromise", "es2-nothing", "--reason", "x", "--yes");
        await RefusedAsync(folder, "With --yes it is", "keys", "compromise", first, "--reason", "x");
        await RefusedAsync(folder, "is the key that signs", "keys", "activate", first);

        // A rollover by force, and back.
        (await folder.RunAsync(["keys", "schedule", "ES256", "--at", "+26h"], null, Ct)).Expect();
        await RefusedAsync(folder, "is announced already", "keys", "schedule", "ES256", "--at", "+27h");
        await RefusedAsync(folder, "too early", "keys", "move", "ES256", "--at", "+1h");
        var announced = (await ListAsync(folder)).Single(key => (string?)key["state"] == "announced");
        var kid = (string)announced["kid"]!;
        await RefusedAsync(folder, "Earliest", "keys", "activate", kid);
        (await folder.RunAsync(["keys", "activate", kid, "--force"], null, Ct)).Expect();
        Assert.Equal(kid, await ActiveAsync(folder, "ES256"));
        (await folder.RunAsync(["keys", "undo", "ES256"], null, Ct)).Expect();
        Assert.Equal(first, await ActiveAsync(folder, "ES256"));

        var shown = (await folder.RunAsync(["keys", "show", kid, "--json"], null, Ct)).Json;
        Assert.Equal(("retiring", kid), ((string?)shown["state"], (string?)shown["jwk"]!["kid"]));
        Assert.False(shown.ToJsonString().Contains("\"d\"", StringComparison.Ordinal));

        // Plans.
        (await folder.RunAsync(["keys", "schedule", "RS256", "--every", "60d"], null, Ct)).Expect();
        (await folder.RunAsync(["keys", "schedule", "PS256", "--cron", "0 9 1 * *", "--time-zone", "Asia/Shanghai"], null, Ct)).Expect();
        var plans = JsonNode.Parse((await folder.RunAsync(["keys", "schedule", "--json"], null, Ct)).Successful().Output)!.AsArray();
        Assert.Equal(60 * 86_400, (long)plans.Single(plan => (string?)plan!["alg"] == "RS256")!["everySeconds"]!);
        Assert.Equal("Asia/Shanghai", (string?)plans.Single(plan => (string?)plan!["alg"] == "PS256")!["timeZone"]);

        // The only key of an algorithm: a new one takes over.
        var only = await ActiveAsync(folder, "ES384");
        var gone = (await folder.RunAsync(["keys", "compromise", only, "--reason", "lost", "--yes", "--end-sessions"], null, Ct)).Successful();
        Assert.Contains("a new key", gone.Output, StringComparison.Ordinal);
        Assert.NotEqual(only, await ActiveAsync(folder, "ES384"));
        await RefusedAsync(folder, "was taken back", "keys", "compromise", only, "--reason", "x", "--yes");
        var rest = (await folder.RunAsync(["keys", "compromise", only, "--reason", "x", "--yes", "--end-sessions"], null, Ct)).Successful();
        Assert.Contains("0 sessions ended", rest.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_that_cannot_be_written_changes_nothing()
    {
        await using var folder = await ServerFolder.CreateAsync(Ct);
        (await folder.RunAsync(["migrate", "up"], null, Ct)).Expect();
        await using (await folder.StartAsync(Ct))
        {
        }

        folder.Environment["IdentityServer__Database__ConnectionString"] += ";Mode=ReadOnly";
        var before = (await folder.RunAsync(["keys", "list", "--json"], null, Ct)).Successful().Output;
        foreach (var arguments in new[]
        {
            new[] { "keys", "schedule", "ES256", "--at", "+26h" },
            ["keys", "schedule", "ES256", "--every", "30d"],
            ["keys", "compromise", await ActiveAsync(folder, "ES256"), "--reason", "x", "--yes"],
        })
        {
            var refused = await folder.RunAsync(arguments, null, Ct);
            Assert.Equal(3, refused.ExitCode);
            Assert.Contains("readonly", refused.Errors, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", refused.Errors, StringComparison.Ordinal);
        }

        Assert.Equal(before, (await folder.RunAsync(["keys", "list", "--json"], null, Ct)).Successful().Output);
    }

    private static async Task RefusedAsync(ServerFolder folder, string reason, params string[] arguments)
    {
        var before = (await folder.RunAsync(["keys", "list", "--json"], null, Ct)).Successful().Output;
        var refused = await folder.RunAsync(arguments, null, Ct);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains(reason, refused.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", refused.Errors, StringComparison.Ordinal);
        Assert.Equal(before, (await folder.RunAsync(["keys", "list", "--json"], null, Ct)).Successful().Output);
    }

    private static async Task<IReadOnlyList<JsonObject>> ListAsync(ServerFolder folder) =>
    [
        .. JsonNode.Parse((await folder.RunAsync(["keys", "list", "--json"], null, Ct)).Successful().Output)!.AsArray().Select(key => key!.AsObject()),
    ];

    private static async Task<string> ActiveAsync(ServerFolder folder, string algorithm) => (string)(await ListAsync(folder))
        .Single(key => (string?)key["alg"] == algorithm && (string?)key["state"] == "active")["kid"]!;
}
