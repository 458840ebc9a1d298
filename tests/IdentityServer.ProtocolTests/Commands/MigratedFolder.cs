using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Commands;

/// <summary>A migrated database, shared by the commands of one test class.</summary>
public sealed class MigratedFolder : IAsyncLifetime
{
    public ServerFolder Folder { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var ct = TestContext.Current.CancellationToken;
        Folder = await ServerFolder.CreateAsync(ct);
        (await RunAsync("migrate", "up")).Expect();
        (await RunAsync("scopes", "add", "orders.read", "--display-name", "See orders")).Expect();
    }

    public ValueTask DisposeAsync() => Folder.DisposeAsync();

    public Task<CommandResult> RunAsync(params string[] arguments) =>
        Folder.RunAsync(arguments, null, TestContext.Current.CancellationToken);

    public Task<CommandResult> RunWithInputAsync(string input, params string[] arguments) =>
        Folder.RunAsync(arguments, input, TestContext.Current.CancellationToken);
}

/// <summary>Runs commands of the real program on a database of its class.</summary>
public abstract class CommandTest(MigratedFolder folder) : IClassFixture<MigratedFolder>
{
    protected const int Done = 0;
    protected const int Refused = 1;
    protected const int Usage = 2;

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected Task<CommandResult> RunAsync(params string[] arguments) => folder.RunAsync(arguments);

    protected Task<CommandResult> RunWithInputAsync(string input, params string[] arguments) =>
        folder.RunWithInputAsync(input, arguments);

    protected ServerFolder Folder => folder.Folder;

    /// <summary>It ended so, said why in words, and printed nothing that a script could take for a result.</summary>
    protected static void AssertFailed(CommandResult result, int exitCode, string reason)
    {
        Assert.Equal(exitCode, result.ExitCode);
        Assert.Contains(reason, result.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Errors, StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }
}

internal static class CommandResults
{
    /// <summary>Itself; fails when the command failed.</summary>
    public static CommandResult Successful(this CommandResult result)
    {
        result.Expect();
        return result;
    }
}
