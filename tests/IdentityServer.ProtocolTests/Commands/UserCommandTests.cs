using System.Text.Json.Nodes;

namespace IdentityServer.ProtocolTests.Commands;

public sealed class UserCommandTests(MigratedFolder folder) : CommandTest(folder)
{
    private const string Password = "teapot-lantern-orchard-violin";

    [Fact]
    public async Task A_person_is_added_with_their_roles()
    {
        var added = (await RunWithInputAsync(
            Password + "\n",
            "users", "add", "carol", "--email", "carol@example.com", "--password-stdin", "--role", "operator", "--role", "auditor",
            "--name", "Carol Cooper", "--json")).Json;

        Assert.Equal("carol", (string?)added["user_name"]);
        Assert.Equal("carol@example.com", (string?)added["email"]);
        Assert.Equal(22, ((string?)added["sub"])!.Length);

        var listed = JsonNode.Parse((await RunAsync("users", "list", "--json")).Successful().Output)!.AsArray();
        var carol = Assert.Single(listed, person => (string?)person!["sub"] == (string?)added["sub"])!;
        Assert.Equal(["auditor", "operator"], carol["roles"]!.AsArray().Select(role => (string)role!).Order(StringComparer.Ordinal));
        Assert.DoesNotContain("assword", (await RunAsync("users", "list")).Successful().Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_person_is_unlocked_disabled_and_let_in_again_and_the_reason_is_kept()
    {
        await RunWithInputAsync(Password, "users", "add", "gwen", "--email", "gwen@example.com", "--password-stdin");

        (await RunAsync("users", "unlock", "gwen@example.com", "--reason", "asked by phone")).Successful();
        (await RunAsync("users", "set", "gwen", "--require-second-factor", "true")).Successful();
        (await RunAsync("users", "disable", "gwen", "--reason", "left")).Successful();
        AssertFailed(await RunAsync("users", "disable", "gwen", "--reason", "left"), Refused, "so already");
        var shown = (await RunAsync("users", "show", "gwen", "--json")).Json;
        Assert.True((bool)shown["requiresSecondFactor"]!);
        Assert.NotNull(shown["disabledAt"]);
        (await RunAsync("users", "enable", "gwen", "--reason", "came back")).Successful();
        AssertFailed(await RunAsync("users", "reset-factors", "gwen", "--reason", "none there"), Refused, "so already");
        AssertFailed(await RunAsync("users", "unlock", "nobody-of-that-name", "--reason", "x"), Refused, "no user");
        AssertFailed(await RunAsync("users", "unlock", "gwen", "--reason", ""), Refused, "reason");
        AssertFailed(await RunAsync("users", "unlock", "gwen"), Usage, "--reason");
        AssertFailed(await RunAsync("users", "set", "gwen"), Usage, "--require-second-factor");
    }

    [Fact]
    public async Task The_last_admin_stays()
    {
        await RunWithInputAsync(Password, "users", "add", "hugo", "--email", "hugo@example.com", "--password-stdin", "--role", "admin");

        AssertFailed(await RunAsync("users", "disable", "hugo", "--reason", "left"), Refused, "last admin");
        await RunWithInputAsync(Password, "users", "add", "iris", "--email", "iris@example.com", "--password-stdin", "--role", "admin");
        (await RunAsync("users", "disable", "hugo", "--reason", "left")).Successful();
        AssertFailed(await RunAsync("users", "disable", "iris", "--reason", "left"), Refused, "last admin");
    }

    [Theory]
    [InlineData("no-at-sign")]
    [InlineData("@example.com")]
    [InlineData("dave@")]
    [InlineData("dave@a@example.com")]
    [InlineData("dave @example.com")]
    [InlineData("Dave <dave@example.com>")]
    public async Task An_address_must_look_like_one(string email)
    {
        AssertFailed(
            await InProcess.RunWithInputAsync(Password, "users", "add", "dave", "--email", email, "--password-stdin"), Refused, "e-mail address");
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("a\nb", "control character")]
    [InlineData("a\u202eb", "control character")]
    public async Task A_user_name_must_be_readable(string name, string reason)
    {
        AssertFailed(
            await InProcess.RunWithInputAsync(Password, "users", "add", name, "--email", "dave@example.com", "--password-stdin"), Refused, reason);
    }

    [Theory]
    [InlineData("short")]
    [InlineData("eveeveeveeveeve")]
    public async Task A_weak_password_is_refused_and_not_repeated(string password)
    {
        var refused = await RunWithInputAsync(password, "users", "add", "eve", "--email", "eve@example.com", "--password-stdin", "--json");

        Assert.Equal(Refused, refused.ExitCode);
        Assert.Empty(refused.Output);
        Assert.NotEmpty(refused.Errors);
        Assert.DoesNotContain(password, refused.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_typed_is_no_password()
    {
        AssertFailed(
            await InProcess.RunWithInputAsync("", "users", "add", "frank", "--email", "frank@example.com", "--password-stdin"), Usage, "No password");
    }

    [Fact]
    public async Task A_role_must_exist()
    {
        AssertFailed(
            await InProcess.RunWithInputAsync(Password, "users", "add", "gina", "--email", "gina@example.com", "--password-stdin", "--role", "root"),
            Refused,
            "no role root");
    }

    [Fact]
    public async Task A_name_is_taken_once()
    {
        (await RunWithInputAsync(Password, "users", "add", "henry", "--email", "henry@example.com", "--password-stdin")).Expect();

        AssertFailed(
            await RunWithInputAsync(Password, "users", "add", "HENRY", "--email", "other@example.com", "--password-stdin"), Refused, "HENRY");
    }
}
