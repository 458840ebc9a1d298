using System.Text.Json.Nodes;

namespace IdentityServer.ProtocolTests.Commands;

public sealed class ScopeCommandTests(MigratedFolder folder) : CommandTest(folder)
{
    [Fact]
    public async Task Scopes_and_the_APIs_they_belong_to_are_listed()
    {
        (await RunAsync("scopes", "add", "stock.write", "--display-name", "Change the stock", "--description", "All of it.", "--changes-data"))
            .Expect();
        var api = (await RunAsync(
            "apis", "add", "https://stock.example", "--scope", "stock.write", "orders.read", "--introspection-client", "stock-gateway",
            "--display-name", "Stock", "--json"));
        Assert.Equal("https://stock.example", (string?)api.Json["name"]);
        Assert.Contains("no client stock-gateway yet", api.Errors, StringComparison.Ordinal);

        var scopes = JsonNode.Parse((await RunAsync("scopes", "list", "--json")).Successful().Output)!.AsArray();
        var stock = scopes.Single(scope => (string?)scope!["name"] == "stock.write")!;
        Assert.True((bool)stock["changes_data"]!);
        Assert.Equal("https://stock.example", (string?)stock["apis"]![0]);
        Assert.True((bool)scopes.Single(scope => (string?)scope!["name"] == "openid")!["standard"]!);
        Assert.False((bool)scopes.Single(scope => (string?)scope!["name"] == "admin:keys")!["standard"]!);

        var apis = JsonNode.Parse((await RunAsync("apis", "list", "--json")).Successful().Output)!.AsArray();
        Assert.Equal(
            "stock-gateway", (string?)apis.Single(entry => (string?)entry!["name"] == "https://stock.example")!["introspection_clients"]![0]);
        Assert.Contains("stock-gateway", (await RunAsync("apis", "list")).Successful().Output, StringComparison.Ordinal);
        Assert.Contains("Change the stock", (await RunAsync("scopes", "list")).Successful().Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("openid", "standard scope")]
    [InlineData("admin:keys", "built in")]
    [InlineData("two words", "not allowed")]
    [InlineData("", "is empty")]
    public async Task A_scope_name_is_plain_and_not_the_standards_own(string name, string reason)
    {
        AssertFailed(await InProcess.RunAsync("scopes", "add", name), Refused, reason);
    }

    [Theory]
    [InlineData("is empty", "")]
    [InlineData("not allowed", "two words")]
    [InlineData("belongs to no API", "an-api", "--scope", "openid")]
    [InlineData("own admin API", "an-api", "--scope", "admin:keys")]
    [InlineData("not allowed", "an-api", "--introspection-client", "a\"b")]
    public async Task An_API_is_named_plainly(string reason, params string[] arguments)
    {
        AssertFailed(await InProcess.RunAsync(["apis", "add", .. arguments]), Refused, reason);
    }

    [Fact]
    public async Task Names_are_taken_once_and_an_API_has_registered_scopes()
    {
        (await RunAsync("apis", "add", "once")).Expect();
        AssertFailed(await RunAsync("apis", "add", "once"), Refused, "an API once already");
        AssertFailed(await RunAsync("scopes", "add", "orders.read"), Refused, "a scope orders.read already");
        AssertFailed(await RunAsync("apis", "add", "an-api", "--scope", "nothing"), Refused, "identityserver scopes add nothing");
    }
}
