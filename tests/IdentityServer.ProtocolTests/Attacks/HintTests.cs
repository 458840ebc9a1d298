using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Attacks;

/// <summary>An ID token as a hint is believed only when it is ours, unchanged, and of this client.</summary>
public sealed class HintTests(AppServer apps) : AppServerTest(apps)
{
    [Fact]
    public async Task A_forged_hint_does_not_decide_who_is_meant()
    {
        var browser = NewBrowser();
        var genuine = (await App.ExchangeAsync(await App.AuthorizeAsync(browser, App.Attempt(), Alice, Ct), Ct)).IdToken!;
        foreach (var forged in Forgeries(genuine))
        {
            var silent = App.Attempt().With("prompt", "none").With("id_token_hint", forged);

            var walk = await App.AuthorizeAsync(browser, silent, null, Ct);

            Assert.Null(walk.Answer?.Code);
        }
    }

    [Fact]
    public async Task A_forged_hint_signs_nobody_out()
    {
        var browser = NewBrowser();
        var genuine = (await App.ExchangeAsync(await App.AuthorizeAsync(browser, App.Attempt(), Alice, Ct), Ct)).IdToken!;
        foreach (var forged in Forgeries(genuine))
        {
            await browser.OpenAsync(App.EndSessionAddress(("id_token_hint", forged)), Ct);
        }

        var walk = await App.AuthorizeAsync(browser, App.Attempt().With("prompt", "none"), null, Ct);
        Assert.NotNull(walk.Code);
    }

    [Fact]
    public async Task A_hint_of_somebody_else_signs_nobody_out_unasked()
    {
        var browser = NewBrowser();
        await App.AuthorizeAsync(browser, App.Attempt(), Alice, Ct);
        var mallorys = await App.SignInAsync(Mallory, "openid", Ct);

        await browser.OpenAsync(App.EndSessionAddress(("id_token_hint", mallorys.IdToken!.Text)), Ct);

        var walk = await App.AuthorizeAsync(browser, App.Attempt().With("prompt", "none"), null, Ct);
        Assert.NotNull(walk.Code);
    }

    [Fact]
    public async Task A_hint_of_somebody_else_is_not_answered_with_this_person()
    {
        var browser = NewBrowser();
        await App.AuthorizeAsync(browser, App.Attempt(), Alice, Ct);
        var mallorys = await App.SignInAsync(Mallory, "openid", Ct);
        var silent = App.Attempt().With("prompt", "none").With("id_token_hint", mallorys.IdToken!.Text);

        var walk = await App.AuthorizeAsync(browser, silent, null, Ct);

        Assert.Equal("login_required", walk.Answered.Error);
    }

    [Fact]
    public async Task An_expired_hint_still_tells_who_is_to_be_signed_out()
    {
        var browser = NewBrowser();
        var tokens = await App.ExchangeAsync(await App.AuthorizeAsync(browser, App.Attempt(), Alice, Ct), Ct);
        Server.Clock.Advance(TimeSpan.FromMinutes(30));

        var page = await browser.OpenAsync(
            App.EndSessionAddress(
                ("id_token_hint", tokens.IdToken!.Text),
                ("post_logout_redirect_uri", App.PostLogoutRedirectUri)), Ct);

        Assert.Equal(App.PostLogoutRedirectUri, page.Location?.OriginalString);
    }

    private IEnumerable<string> Forgeries(Jwt genuine)
    {
        var header = genuine.Header;
        var claims = genuine.Claims;
        yield return Jwt.Forge(new JsonObject { ["alg"] = "none" }, Copy(claims), []);
        yield return Jwt.Forge(With(header, "alg", "none"), Copy(claims), []);
        yield return genuine.Text[..^4] + (genuine.Text[^4] == 'A' ? 'B' : 'A') + genuine.Text[^3..];
        yield return genuine.Text[..(genuine.Text.LastIndexOf('.') + 1)];

        // The public key as an HMAC secret: the oldest confusion of all.
        var modulus = Encoding.UTF8.GetBytes(Provider.Jwks.ToJsonString());
        yield return Jwt.Sign(With(header, "alg", "HS256"), Copy(claims), signed => HMACSHA256.HashData(modulus, signed));

        using var rsa = RSA.Create(2048);
        yield return Jwt.Sign(
            Copy(header),
            Copy(claims),
            signed => rsa.SignData(signed, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));

        // A key that the token brings along, or points to.
        var own = rsa.ExportParameters(false);
        var jwk = new JsonObject
        {
            ["kty"] = "RSA",
            ["n"] = System.Buffers.Text.Base64Url.EncodeToString(own.Modulus),
            ["e"] = System.Buffers.Text.Base64Url.EncodeToString(own.Exponent),
        };
        yield return Jwt.Sign(
            With(header, "jwk", jwk),
            Copy(claims),
            signed => rsa.SignData(signed, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        yield return Jwt.Sign(
            With(header, "kid", "../../../../dev/null"),
            Copy(claims),
            signed => HMACSHA256.HashData(Array.Empty<byte>(), signed));
        yield return "not.a.token";
        yield return "e30.e30.";
        yield return new string('.', 5000);
    }

    private static JsonObject Copy(JsonObject part) => part.DeepClone().AsObject();

    private static JsonObject With(JsonObject part, string name, JsonNode value)
    {
        var copy = Copy(part);
        copy[name] = value;
        return copy;
    }
}
