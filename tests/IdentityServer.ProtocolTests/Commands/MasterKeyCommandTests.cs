using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Commands;

public sealed class MasterKeyCommandTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_master_key_is_written_for_its_owner_alone_and_never_over_another()
    {
        await using var folder = await ServerFolder.CreateAsync(Ct);
        var path = Path.Combine(folder.Path, "deep", "new.key");

        var made = (await folder.RunAsync(["keys", "master-key", "new", "deep/new.key"], null, Ct)).Successful();
        Assert.Contains(path, made.Output, StringComparison.Ordinal);
        Assert.Contains("Back it up", made.Output, StringComparison.Ordinal);
        var before = await File.ReadAllTextAsync(path, Ct);
        Assert.Contains("-----BEGIN IDENTITYSERVER MASTER KEY-----", before, StringComparison.Ordinal);
        Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(path) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));
        var secret = before.Split('\n')[2];
        Assert.DoesNotContain(secret, made.Output + made.Errors, StringComparison.Ordinal);

        var again = await folder.RunAsync(["keys", "master-key", "new", path], null, Ct);
        Assert.Equal(1, again.ExitCode);
        Assert.Contains("never overwritten", again.Errors, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllTextAsync(path, Ct));
    }

    [Fact]
    public async Task Without_a_path_it_goes_where_the_setting_says()
    {
        await using var folder = await ServerFolder.CreateAsync(Ct);
        folder.Environment["IdentityServer__MasterKey__Path"] = $"{folder.Path}/configured.key";

        (await folder.RunAsync(["keys", "master-key", "new"], null, Ct)).Expect();
        Assert.True(File.Exists($"{folder.Path}/configured.key"));

        folder.Environment["IdentityServer__MasterKey__Path"] = "";
        Assert.Equal(2, (await folder.RunAsync(["keys", "master-key", "new"], null, Ct)).ExitCode);
    }

    [Theory]
    [InlineData("keys-dev/master.key", 1)]
    [InlineData("/proc/master.key", 4)]
    public async Task It_is_not_written_where_it_cannot_be_used(string path, int exitCode)
    {
        await using var folder = await ServerFolder.CreateAsync(Ct);

        var result = await folder.RunAsync(["keys", "master-key", "new", path], null, Ct);

        Assert.Equal(exitCode, result.ExitCode);
        Assert.DoesNotContain("   at ", result.Errors, StringComparison.Ordinal);
    }
}
