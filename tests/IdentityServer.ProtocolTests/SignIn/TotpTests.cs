using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using IdentityServer.SignIn;

namespace IdentityServer.ProtocolTests.SignIn;

/// <summary>RFC 6238, RFC 4226 and RFC 4648 by their own vectors.</summary>
public sealed class TotpTests
{
    private static readonly byte[] Secret = Encoding.ASCII.GetBytes("12345678901234567890");

    // RFC 6238 appendix B, SHA-1, the last six of its eight digits.
    [Theory]
    [InlineData(59, "287082")]
    [InlineData(1111111109, "081804")]
    [InlineData(1111111111, "050471")]
    [InlineData(1234567890, "005924")]
    [InlineData(2000000000, "279037")]
    [InlineData(20000000000, "353130")]
    public void The_vectors_of_the_specification_hold(long seconds, string code)
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(seconds);

        Assert.Equal(code, Totp.CodeOf(Secret, Totp.StepOf(now)));
        Assert.Equal(seconds / 30, Totp.Match(Secret, code, now));
    }

    [Theory]
    [InlineData(-2, false)]
    [InlineData(-1, true)]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public void One_step_before_and_after_is_accepted_and_no_more(int steps, bool isAccepted)
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(1_234_567_890);
        var step = Totp.StepOf(now) + steps;

        Assert.Equal(isAccepted ? step : null, Totp.Match(Secret, Totp.CodeOf(Secret, step), now));
    }

    [Theory]
    [InlineData("123456", "123456")]
    [InlineData("123 456", "123456")]
    [InlineData(" 123456\t", "123456")]
    [InlineData("+123456", null)]
    [InlineData("12345", null)]
    [InlineData("1234567", null)]
    [InlineData("１２３４５６", null)]
    [InlineData("12345a", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    public void Six_digits_are_a_code_and_nothing_else_is(string? typed, string? code) => Assert.Equal(code, Totp.Read(typed));

    // RFC 4648 §10, without padding.
    [Theory]
    [InlineData("", "")]
    [InlineData("f", "MY")]
    [InlineData("fo", "MZXQ")]
    [InlineData("foo", "MZXW6")]
    [InlineData("foob", "MZXW6YQ")]
    [InlineData("fooba", "MZXW6YTB")]
    [InlineData("foobar", "MZXW6YTBOI")]
    public void Base32_is_as_specified(string text, string encoded) => Assert.Equal(encoded, Base32.Encode(Encoding.ASCII.GetBytes(text)));

    [Fact]
    public void The_servers_codes_are_those_of_an_app_that_read_the_key() => Prop.ForAll<byte[], uint>((secret, seconds) =>
    {
        var clock = new IdentityServer.Testing.MutableClock(DateTimeOffset.FromUnixTimeSeconds(seconds));
        var app = new IdentityServer.Testing.AuthenticatorApp(Base32.Encode(secret), clock);
        return secret.Length == 0 || Totp.CodeOf(secret, Totp.StepOf(clock.GetUtcNow())) == app.Code;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_key_uri_names_server_and_account()
    {
        var uri = new Uri(Totp.KeyUri("Northwind: ID", "alice@example.com", Secret));

        Assert.Equal(("otpauth", "totp"), (uri.Scheme, uri.Host));
        Assert.Equal("/Northwind ID:alice@example.com", Uri.UnescapeDataString(uri.AbsolutePath));
        Assert.Contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", uri.Query, StringComparison.Ordinal);
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"digits={Totp.Digits}&period=30"), uri.Query, StringComparison.Ordinal);
    }
}
