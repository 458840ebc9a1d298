using System.Text;
using FsCheck;
using FsCheck.Fluent;
using IdentityServer.Protocol;

namespace IdentityServer.UnitTests;

public sealed class ParameterReaderTests
{
    [Fact]
    public void Names_and_values_are_decoded()
    {
        var parameters = Read("a=1&b=x+y%20z%2B&c=&%64=%C3%A9&flag");

        Assert.Equal(("1", "x y z+", "é"), (parameters["a"], parameters["b"], parameters["d"]));
        Assert.Null(parameters["c"]);
        Assert.Null(parameters["flag"]);
    }

    [Theory]
    [InlineData("a=1&a=2", "a")]
    [InlineData("a=1&%61=2", "a")]
    [InlineData("client_id=x&client_id=", "client_id")]
    public void A_doubled_parameter_is_refused_and_named(string query, string name) =>
        Assert.Equal(("invalid_request", name), Refused(query) is var error ? (error.Code, error.Parameter) : default);

    [Theory]
    [InlineData("a=%")]
    [InlineData("a=%4")]
    [InlineData("a=%GG")]
    [InlineData("a=%00")]
    [InlineData("a=%ff%fe")]
    [InlineData("%c0%af=1")]
    [InlineData("a=%ED%A0%80")]
    public void What_is_not_escaped_utf8_is_refused(string query) => Assert.Equal("invalid_request", Refused(query).Code);

    [Fact]
    public void Raw_bytes_that_are_not_utf8_and_nul_are_refused()
    {
        Assert.False(ParameterReader.Read([(byte)'a', (byte)'=', 0xFF]).TryGet(out _, out _));
        Assert.False(ParameterReader.Read([(byte)'a', (byte)'=', 0]).TryGet(out _, out _));
    }

    [Fact]
    public void A_name_that_is_not_one_of_ours_is_not_repeated_in_the_answer() =>
        Assert.DoesNotContain("script", Refused("<script>=1&<script>=2").Description, StringComparison.Ordinal);

    [Fact]
    public void Too_many_parameters_are_refused() =>
        Assert.Equal("invalid_request", Refused(string.Join('&', Enumerable.Range(0, 65).Select(i => $"p{i}=1"))).Code);

    [Fact]
    public void Whatever_is_encoded_comes_back() => Prop.ForAll(
        ArbMap.Default.ArbFor<NonNull<string>>().Filter(text => !text.Get.Contains('\0', StringComparison.Ordinal) && IsUtf16(text.Get)),
        text =>
        {
            var read = Read("v=" + Uri.EscapeDataString(text.Get));
            return (read["v"] ?? "") == text.Get;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void No_bytes_at_all_make_it_throw() => Prop.ForAll(
        ArbMap.Default.ArbFor<byte[]>(),
        bytes => ParameterReader.Read(bytes).TryGet(out _, out var error) || error.Code == "invalid_request")
        .Check(Config.QuickThrowOnFailure.WithMaxTest(5000));

    private static bool IsUtf16(string text) => new UnicodeEncoding(false, false, true) is var strict && TryEncode(strict, text);

    private static bool TryEncode(Encoding strict, string text)
    {
        try
        {
            strict.GetBytes(text);
            return true;
        }
        catch (EncoderFallbackException)
        {
            return false;
        }
    }

    private static Parameters Read(string query)
    {
        Assert.True(ParameterReader.Read(Encoding.UTF8.GetBytes(query)).TryGet(out var parameters, out _));
        return parameters;
    }

    private static ProtocolError Refused(string query)
    {
        Assert.False(ParameterReader.Read(Encoding.UTF8.GetBytes(query)).TryGet(out _, out var error));
        return error;
    }
}
