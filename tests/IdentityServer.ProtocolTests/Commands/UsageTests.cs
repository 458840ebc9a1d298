using IdentityServer.Commands;

namespace IdentityServer.ProtocolTests.Commands;

/// <summary>What cannot be understood ends with 2, a reason and a way on; nothing is done and no stack trace shown.</summary>
public sealed class UsageTests
{
    [Theory]
    [InlineData("nonsense")]
    [InlineData("serve", "now")]
    [InlineData("serve", "--port", "80")]
    [InlineData("migrate")]
    [InlineData("migrate", "down")]
    [InlineData("migrate", "up", "extra")]
    [InlineData("keys")]
    [InlineData("keys", "remove")]
    [InlineData("keys", "list", "--yaml")]
    [InlineData("keys", "master-key")]
    [InlineData("keys", "master-key", "new", "a", "b")]
    [InlineData("keys", "master-key", "rotate", "now")]
    [InlineData("users")]
    [InlineData("users", "add")]
    [InlineData("users", "add", "carol")]
    [InlineData("users", "add", "carol", "--password-stdin")]
    [InlineData("users", "add", "carol", "--email", "carol@example.com")]
    [InlineData("users", "add", "carol", "--email", "--password-stdin")]
    [InlineData("users", "add", "--email", "carol@example.com", "--password-stdin")]
    [InlineData("users", "add", "carol", "--email", "a@example.com", "--email", "b@example.com", "--password-stdin")]
    [InlineData("users", "add", "carol", "--email", "carol@example.com", "--password", "x", "--password-stdin")]
    [InlineData("users", "list", "carol")]
    [InlineData("clients")]
    [InlineData("clients", "add")]
    [InlineData("clients", "add", "app")]
    [InlineData("clients", "add", "--type", "web")]
    [InlineData("clients", "add", "app", "--type")]
    [InlineData("clients", "add", "app", "--type", "mobile")]
    [InlineData("clients", "add", "app", "--type", "0")]
    [InlineData("clients", "add", "app", "other", "--type", "web")]
    [InlineData("clients", "add", "app", "--type", "web", "--redirect-uri")]
    [InlineData("clients", "add", "app", "--type", "service", "--scope")]
    [InlineData("clients", "add", "app", "--type", "service", "--token-format", "opaque")]
    [InlineData("clients", "add", "app", "--type", "service", "--id-token-alg", "HS256")]
    [InlineData("clients", "add", "app", "--type", "service", "--userinfo-alg", "none")]
    [InlineData("clients", "add", "app", "--type", "service", "--access-token-lifetime", "ten")]
    [InlineData("clients", "add", "app", "--type", "service", "--access-token-lifetime", "99999999999")]
    [InlineData("clients", "add", "app", "--type", "service", "--secret", "mine")]
    [InlineData("clients", "show")]
    [InlineData("clients", "show", "a", "b")]
    [InlineData("clients", "remove")]
    [InlineData("clients", "disable", "some-app")]
    [InlineData("clients", "enable")]
    [InlineData("clients", "rotate-secret")]
    [InlineData("clients", "rotate-secret", "app", "--expire-old")]
    [InlineData("clients", "rotate-secret", "app", "--expire-old", "soon")]
    [InlineData("clients", "rotate-secret", "app", "--expire-old", "-1h")]
    [InlineData("clients", "rotate-secret", "app", "--expire-old", "400d")]
    [InlineData("clients", "rotate-secret", "app", "--expire-old", "1.5h")]
    [InlineData("scopes")]
    [InlineData("scopes", "add")]
    [InlineData("scopes", "add", "a", "b")]
    [InlineData("apis")]
    [InlineData("apis", "add")]
    [InlineData("apis", "add", "a", "--scope")]
    [InlineData("doctor", "now")]
    public async Task Wrong_usage_is_explained(params string[] arguments)
    {
        var (exitCode, output, errors) = await InProcess.RunAsync(arguments);

        Assert.Equal(2, exitCode);
        Assert.Empty(output);
        Assert.Contains("--help", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("clients", "--help")]
    [InlineData("clients", "add", "--help")]
    [InlineData("clients", "rotate-secret", "-h")]
    [InlineData("users", "add", "--help")]
    [InlineData("keys", "master-key", "new", "--help")]
    [InlineData("migrate", "status", "--help")]
    public async Task Help_goes_to_the_output(params string[] arguments)
    {
        var (exitCode, output, errors) = await InProcess.RunAsync(arguments);

        Assert.Equal(0, exitCode);
        Assert.Contains("Usage:", output, StringComparison.Ordinal);
        Assert.Empty(errors);
    }

    [Fact]
    public async Task A_leading_at_sign_names_no_file()
    {
        var (exitCode, _, errors) = await InProcess.RunAsync("clients", "add", "app", "--type", "@/etc/passwd");

        Assert.Equal(2, exitCode);
        Assert.Contains("@/etc/passwd", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("root", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("45", 45)]
    [InlineData("90s", 90)]
    [InlineData("15m", 900)]
    [InlineData("24h", 86_400)]
    [InlineData("7d", 604_800)]
    [InlineData("365d", 31_536_000)]
    public void Durations_are_written_short(string text, int seconds)
    {
        Assert.True(Durations.TryParse(text, out var duration));
        Assert.Equal(TimeSpan.FromSeconds(seconds), duration);
    }

    [Theory]
    [InlineData("")]
    [InlineData("h")]
    [InlineData("-1")]
    [InlineData("1w")]
    [InlineData("1 h")]
    [InlineData("366d")]
    [InlineData("99999999999999999999")]
    public void Anything_else_is_no_duration(string text)
    {
        Assert.False(Durations.TryParse(text, out _));
    }
}
