using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Account;

/// <summary>With a file of ranges, people read where their sessions are.</summary>
public sealed class PlaceTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("127.0.0.0,127.255.255.255,DK,56.2,10.2", "127.0.0.1 (DK)")]
    [InlineData("198.51.100.0,198.51.100.255,DK,56.2,10.2", "127.0.0.1")]
    public async Task A_session_is_listed_with_its_country_when_that_is_known(string range, string shown)
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, range + "\n", Ct);
        await using var server = await ServerFixture.StartAsync(Ct, settings => settings["IdentityServer:Risk:LocationFile"] = file);
        var alice = await server.AddPersonAsync("alice", Ct);
        var browser = new Browser(server.Http);
        await browser.SignInAsync(await browser.OpenAsync(new Uri(server.Address, "/login"), Ct), alice, Ct);

        var page = await browser.OpenAsync(new Uri(server.Address, "/account"), Ct);

        Assert.Contains(page.Document.QuerySelectorAll("td"), cell => cell.TextContent.Trim() == shown);
        File.Delete(file);
    }
}
