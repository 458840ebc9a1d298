using System.Buffers.Text;
using System.Security.Cryptography;
using IdentityServer.Protocol.Clients;

namespace IdentityServer.UnitTests.Clients;

public sealed class PublicKeySetTests
{
    [Fact]
    public void A_set_of_public_keys_is_kept()
    {
        Assert.True(PublicKeySet.TryRead($$"""{"keys":[{{Ec(kid: "a")}},{{Rsa(2048, kid: "b")}}]}""", out var jwks, out _));
        Assert.Equal($$"""{"keys":[{{Ec(kid: "a")}},{{Rsa(2048, kid: "b")}}]}""", jwks);
    }

    [Fact]
    public void A_single_key_is_wrapped_and_strange_members_are_dropped()
    {
        Assert.True(PublicKeySet.TryRead(Ec(extra: ""","x5c":["AAAA"],"ext":true"""), out var jwks, out _));
        Assert.Equal($$"""{"keys":[{{Ec()}}]}""", jwks);
    }

    [Theory]
    [InlineData("d")]
    [InlineData("p")]
    [InlineData("qi")]
    public void A_private_key_is_refused_and_called_so(string member)
    {
        Assert.False(PublicKeySet.TryRead(Ec(extra: $",\"{member}\":\"AAAA\""), out var jwks, out var fault));
        Assert.Null(jwks);
        Assert.Contains("is a private key", fault, StringComparison.Ordinal);
        Assert.DoesNotContain("AAAA", fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "not JSON")]
    [InlineData("nonsense", "not JSON")]
    [InlineData("""{"keys":[],"keys":[]}""", "not JSON")]
    [InlineData("[]", "neither a JWK nor")]
    [InlineData("{}", "neither a JWK nor")]
    [InlineData("""{"keys":{}}""", "neither a JWK nor")]
    [InlineData("""{"keys":[]}""", "holds 0 keys")]
    [InlineData("""{"keys":[1]}""", "is not a JWK")]
    [InlineData("""{"kty":"oct","k":"AAAA"}""", "shared secret")]
    [InlineData("""{"kty":"OKP","crv":"Ed25519","x":"AAAA"}""", "not supported")]
    [InlineData("""{"kty":"RSA"}""", "no readable n and e")]
    [InlineData("""{"kty":"RSA","n":"%%%","e":"AQAB"}""", "no readable n and e")]
    [InlineData("""{"kty":"EC","crv":"P-384","x":"AAAA","y":"AAAA"}""", "P-256")]
    [InlineData("""{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}""", "no readable x and y")]
    public void What_is_no_key_set_is_refused(string json, string reason)
    {
        Assert.False(PublicKeySet.TryRead(json, out _, out var fault));
        Assert.Contains(reason, fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_short_RSA_key_is_refused()
    {
        Assert.False(PublicKeySet.TryRead(Rsa(1024), out _, out var fault));
        Assert.Contains("1024 bits", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_point_beside_the_curve_is_refused()
    {
        var off = Base64Url.EncodeToString(Enumerable.Repeat((byte)7, 32).ToArray());
        var json = $$"""{"kty":"EC","crv":"P-256","x":"{{off}}","y":"{{off}}"}""";
        Assert.False(PublicKeySet.TryRead(json, out _, out var fault));
        Assert.Contains("not a point", fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(""","alg":"RS256" """)]
    [InlineData(""","alg":"none" """)]
    [InlineData(""","alg":7""")]
    [InlineData(""","use":"enc" """)]
    public void A_key_for_something_else_is_refused(string extra)
    {
        Assert.False(PublicKeySet.TryRead(Ec(extra: extra), out _, out _));
    }

    [Fact]
    public void Two_keys_may_not_share_a_kid()
    {
        Assert.False(PublicKeySet.TryRead($$"""{"keys":[{{Ec(kid: "a")}},{{Rsa(2048, kid: "a")}}]}""", out _, out var fault));
        Assert.Contains("share one kid", fault, StringComparison.Ordinal);
    }

    private static readonly ECParameters Point = MakeEc();
    private static readonly RSAParameters Long = MakeRsa(2048);
    private static readonly RSAParameters Short = MakeRsa(1024);

    private static string Ec(string? kid = null, string extra = "") =>
        $$"""{"kty":"EC"{{Kid(kid)}},"crv":"P-256","x":"{{Base64Url.EncodeToString(Point.Q.X)}}","y":"{{Base64Url.EncodeToString(Point.Q.Y)}}"{{extra}}}""";

    private static string Rsa(int bits, string? kid = null)
    {
        var key = bits == 1024 ? Short : Long;
        return $$"""{"kty":"RSA"{{Kid(kid)}},"n":"{{Base64Url.EncodeToString(key.Modulus)}}","e":"{{Base64Url.EncodeToString(key.Exponent)}}"}""";
    }

    private static string Kid(string? kid) => kid is null ? "" : $",\"kid\":\"{kid}\"";

    private static ECParameters MakeEc()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.ExportParameters(false);
    }

    private static RSAParameters MakeRsa(int bits)
    {
        using var key = RSA.Create(bits);
        return key.ExportParameters(false);
    }
}
