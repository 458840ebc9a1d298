using IdentityServer.Protocol.Token;

namespace IdentityServer.UnitTests.Token;

public sealed class PkceTests
{
    // RFC 7636, Appendix B
    private const string Verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    private const string Challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    [Fact]
    public void The_vector_of_the_RFC_verifies() => Assert.True(Pkce.Verify(Verifier, Challenge));

    [Theory]
    [InlineData(Challenge, Challenge)]
    [InlineData("", Challenge)]
    [InlineData("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXj", Challenge)]
    [InlineData("short", Challenge)]
    [InlineData("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjX!", Challenge)]
    [InlineData(Verifier, "")]
    [InlineData(Verifier, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=")]
    public void Anything_else_does_not(string verifier, string challenge) => Assert.False(Pkce.Verify(verifier, challenge));

    [Fact]
    public void A_verifier_longer_than_128_characters_is_refused() => Assert.False(Pkce.Verify(new string('a', 129), Challenge));
}
