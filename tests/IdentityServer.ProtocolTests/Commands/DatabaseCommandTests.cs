using System.Text.Json.Nodes;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Commands;

/// <summary>Commands on a database that is not there yet, is elsewhere, or is not what was said.</summary>
public sealed class DatabaseCommandTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Outside_Development_the_schema_is_brought_up_by_hand()
    {
        await using var folder = await ServerFolder.CreateAsync(Ct);

        var early = await RunAsync(folder, "clients", "list");
        Assert.Equal(3, early.ExitCode);
        Assert.Contains("identityserver migrate up", early.Errors, StringComparison.Ordinal);
        Assert.Equal(3, (await RunAsync(folder, "migrate", "status")).ExitCode);
        var serving = await RunAsync(folder, "serve");
        Assert.Equal(3, serving.ExitCode);
        Assert.Contains("identityserver migrate up", serving.Errors, StringComparison.Ordinal);

        Assert.Contains("Applied", (await RunAsync(folder, "migrate", "up")).Successful().Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Applied", (await RunAsync(folder, "migrate", "up")).Successful().Output, StringComparison.Ordinal);
        Assert.Contains("current", (await RunAsync(folder, "migrate", "status")).Successful().Output, StringComparison.Ordinal);
        Assert.Contains("no clients", (await RunAsync(folder, "clients", "list")).Successful().Output, StringComparison.Ordinal);
        Assert.Empty(JsonNode.Parse((await RunAsync(folder, "keys", "list", "--json")).Successful().Output)!.AsArray());
    }

    [Fact]
    public async Task In_Development_commands_make_the_schema_themselves()
    {
        await using var folder = await ServerFolder.CreateAsync(Ct);
        folder.Environment["ASPNETCORE_ENVIRONMENT"] = "Development";

        Assert.Contains("no people", (await RunAsync(folder, "users", "list")).Successful().Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_that_does_not_answer_is_named_without_its_password()
    {
        await using var folder = await ServerFolder.CreateAsync(Ct);
        folder.Environment["IdentityServer__Database__Provider"] = "PostgreSql";
        folder.Environment["IdentityServer__Database__ConnectionString"] =
            $"Host=127.0.0.1;Port={ServerFolder.FreePort()};Database=d;Username=u;Password=hush-hush;Timeout=5";

        var result = await RunAsync(folder, "clients", "list");

        Assert.Equal(3, result.ExitCode);
        Assert.Contains("The database cannot be used", result.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("hush-hush", result.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_no_database_is_refused()
    {
        await using var folder = await ServerFolder.CreateAsync(Ct);
        await File.WriteAllTextAsync($"{folder.Path}/server.db", new string('x', 8192), Ct);

        var result = await RunAsync(folder, "clients", "list");

        Assert.Equal(3, result.ExitCode);
        Assert.DoesNotContain("   at ", result.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("clients", "list")]
    [InlineData("users", "list", "--json")]
    [InlineData("migrate", "up")]
    [InlineData("serve")]
    public async Task Wrong_settings_stop_every_command(params string[] arguments)
    {
        await using var folder = await ServerFolder.CreateAsync(Ct);
        folder.Environment["IdentityServer__Database__Provider"] = "Oracle";
        folder.Environment["IdentityServer__Databse__Provider"] = "Sqlite";

        var result = await RunAsync(folder, arguments);

        Assert.Equal(2, result.ExitCode);
        Assert.Empty(result.Output);
        Assert.Contains("IdentityServer__Database__Provider", result.Errors, StringComparison.Ordinal);
        Assert.Contains("Sqlite, PostgreSql, SqlServer", result.Errors, StringComparison.Ordinal);
        Assert.Contains("Did you mean IdentityServer:Database?", result.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Errors, StringComparison.Ordinal);
    }

    private static Task<CommandResult> RunAsync(ServerFolder folder, params string[] arguments) => folder.RunAsync(arguments, null, Ct);
}
