using System.Buffers.Text;
using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using IdentityServer.Passkeys;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Audit;
using IdentityServer.Storage.Factors;
using IdentityServer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.ProtocolTests.Passkeys;

public sealed class PasskeyCeremoniesTests(PasskeyServer server) : PasskeyTest(server)
{
    /// <summary>What an authenticator may lie about when it makes a passkey, and the reason it is refused for.</summary>
    public static IReadOnlyDictionary<string, (Func<AuthenticatorClaims, AuthenticatorClaims> Lie, string Reason)> FalseRegistrations { get; } =
        new Dictionary<string, (Func<AuthenticatorClaims, AuthenticatorClaims>, string)>(StringComparer.Ordinal)
        {
            ["made for signing in"] = (it => it with { Type = "webauthn.get" }, "wrong_type"),
            ["another challenge"] = (it => it with { Challenge = Handle.Create().Text }, "wrong_challenge"),
            ["no challenge"] = (it => it with { Challenge = "" }, "wrong_challenge"),
            ["another origin"] = (it => it with { Origin = "https://evil.example" }, "wrong_origin"),
            ["a neighbouring port"] = (it => it with { Origin = it.Origin + "0" }, "wrong_origin"),
            ["a sibling"] = (it => it with { Origin = "http://evil.localhost" }, "wrong_origin"),
            ["the origin with a slash"] = (it => it with { Origin = it.Origin + "/" }, "wrong_origin"),
            ["no origin"] = (it => it with { Origin = "" }, "wrong_origin"),
            ["in a frame of another site"] = (it => it with { CrossOrigin = true }, "wrong_origin"),
            ["under another site"] = (it => it with { TopOrigin = "https://evil.example" }, "wrong_origin"),
            ["another RP ID"] = (it => it with { RpId = "evil.example" }, "wrong_rp_id"),
            ["nobody there"] = (it => it with { UserPresent = false }, "not_present"),
            ["nobody verified"] = (it => it with { UserVerified = false }, "not_verified"),
            ["synced but may not be"] = (it => it with { BackedUp = true }, "wrong_backup_flags"),
            ["EdDSA"] = (it => it with { Algorithm = SoftwareAuthenticator.EdDsa }, "bad_cbor"),
            ["another credential beside it"] = (it => it with { PostedId = [1, 2, 3] }, "bad_cbor"),
            ["a credential id that is too long"] = (it => it with { CredentialId = new byte[1024] }, "bad_cbor"),
            ["not a public key credential"] = (it => it with { CredentialType = "password" }, "malformed"),
            ["a cut attestation object"] = (it => it with { AttestationObject = data => data[..^10] }, "bad_cbor"),
            ["an empty attestation object"] = (it => it with { AttestationObject = _ => [] }, "bad_cbor"),
            ["a cut key"] = (it => it with { PublicKey = data => data[..^5] }, "bad_cbor"),
            ["no key"] = (it => it with { PublicKey = _ => [] }, "bad_cbor"),
            ["short authenticator data"] = (it => it with { AuthenticatorData = data => data[..36] }, "bad_cbor"),
            ["no authenticator data"] = (it => it with { AuthenticatorData = _ => [] }, "bad_cbor"),
        };

    /// <summary>What an authenticator may lie about when it proves possession, and the reason it is refused for.</summary>
    public static IReadOnlyDictionary<string, (Func<AuthenticatorClaims, AuthenticatorClaims> Lie, string Reason)> FalseProofs { get; } =
        new Dictionary<string, (Func<AuthenticatorClaims, AuthenticatorClaims>, string)>(StringComparer.Ordinal)
        {
            ["made for registering"] = (it => it with { Type = "webauthn.create" }, "wrong_type"),
            ["another challenge"] = (it => it with { Challenge = Handle.Create().Text }, "wrong_challenge"),
            ["another origin"] = (it => it with { Origin = "https://evil.example" }, "wrong_origin"),
            ["in a frame of another site"] = (it => it with { CrossOrigin = true }, "wrong_origin"),
            ["under another site"] = (it => it with { TopOrigin = "https://evil.example" }, "wrong_origin"),
            ["another RP ID"] = (it => it with { RpId = "evil.example" }, "wrong_rp_id"),
            ["nobody there"] = (it => it with { UserPresent = false }, "not_present"),
            ["nobody verified"] = (it => it with { UserVerified = false }, "not_verified"),
            ["synced but may not be"] = (it => it with { BackedUp = true }, "wrong_backup_flags"),
            ["may suddenly be synced"] = (it => it with { BackupEligible = true }, "wrong_backup_flags"),
            ["a forged signature"] = (it => it with { Signature = data => [.. data[..^1], (byte)(data[^1] ^ 1)] }, "wrong_signature"),
            ["no signature"] = (it => it with { Signature = _ => [] }, "wrong_signature"),
            ["data changed after signing"] = (it => it with { PostedId = [9] }, "unknown_credential"),
            ["an unknown credential"] = (it => it with { CredentialId = [1, 2, 3] }, "unknown_credential"),
            ["an unknown person"] = (it => it with { UserHandle = "bm9ib2R5" }, "unknown_credential"),
            ["a person who cannot be"] = (it => it with { UserHandle = Base64Url.EncodeToString("a\0b"u8) }, "unknown_credential"),
            ["no person"] = (it => it with { UserHandle = null }, "wrong_user_handle"),
            ["short authenticator data"] = (it => it with { AuthenticatorData = data => data[..36] }, "bad_cbor"),
            ["authenticator data with a tail"] = (it => it with { AuthenticatorData = data => [.. data, 1, 2, 3] }, "bad_cbor"),
        };

    public static TheoryData<string> RegistrationNames => [.. FalseRegistrations.Keys];

    public static TheoryData<string> ProofNames => [.. FalseProofs.Keys];

    [Theory]
    [InlineData(SoftwareAuthenticator.Es256)]
    [InlineData(SoftwareAuthenticator.Rs256)]
    public async Task A_passkey_is_registered_and_proves_who_somebody_is(int algorithm)
    {
        using var authenticator = new SoftwareAuthenticator(algorithm) { IsSynced = true };
        await RegisteredAsync(Alice, authenticator);
        var begun = await BeginSignInAsync();
        Server.Clock.Advance(TimeSpan.FromMinutes(1));

        var proof = await SignInAsync(begun, authenticator.Get(begun.Options, Origin));

        var given = Assert.IsType<PasskeyProof.Given>(proof);
        Assert.Equal((Alice, true), (given.Subject, given.IsUserVerified));
        Assert.Equal(["pop", "user", "mfa"], given.Amr);
        var stored = (await Passkeys.FindAsync(authenticator.CredentialId, Ct))!;
        Assert.Equivalent(stored, given.Passkey, strict: true);
        Assert.Equal((true, true, true, "Key"), (stored.IsBackupEligible, stored.IsBackedUp, stored.IsUserVerified, stored.Name));
        Assert.Equal(["internal"], stored.Transports);
        Assert.Equal(Server.Clock.GetUtcNow(), stored.LastUsedAt);
        var added = (await Server.Services.GetRequiredService<IAuditLog>().LatestAsync(20, Ct)).First(audit => audit.Type == AuditTypes.PasskeyAdded);
        Assert.Equal((Alice, "session", stored.Id), (added.Subject, added.SessionId, added.Detail));
    }

    [Fact]
    public async Task Registration_asks_for_a_discoverable_verified_passkey_without_attestation()
    {
        using var authenticator = await RegisteredAsync(Alice);

        var options = JsonNode.Parse((await BeginRegistrationAsync(Alice)).Options)!;

        Assert.Equal(("localhost", "Acme & Söhne"), ((string)options["rp"]!["id"]!, (string)options["rp"]!["name"]!));
        Assert.Equal(Alice, Encoding.UTF8.GetString(Base64Url.DecodeFromChars((string)options["user"]!["id"]!)));
        Assert.StartsWith("Alice-", (string)options["user"]!["name"]!, StringComparison.Ordinal);
        Assert.Equal("Alice Example", (string)options["user"]!["displayName"]!);
        Assert.True(Base64Url.DecodeFromChars((string)options["challenge"]!).Length >= 32);
        Assert.Equal("required", (string)options["authenticatorSelection"]!["residentKey"]!);
        Assert.Equal("required", (string)options["authenticatorSelection"]!["userVerification"]!);
        Assert.Equal("none", (string)options["attestation"]!);
        var algorithms = options["pubKeyCredParams"]!.AsArray().Select(one => (int)one!["alg"]!).ToArray();
        Assert.Equal(SoftwareAuthenticator.Es256, algorithms[0]);
        Assert.Contains(SoftwareAuthenticator.Rs256, algorithms);
        Assert.Contains(
            Base64Url.EncodeToString(authenticator.CredentialId),
            options["excludeCredentials"]!.AsArray().Select(one => (string)one!["id"]!));
    }

    [Fact]
    public async Task Signing_in_asks_the_same_of_everybody_and_names_no_credential()
    {
        using var authenticator = await RegisteredAsync(Alice);

        var options = JsonNode.Parse((await BeginSignInAsync()).Options)!;

        Assert.Equal(("localhost", "required"), ((string)options["rpId"]!, (string)options["userVerification"]!));
        Assert.Empty(options["allowCredentials"]?.AsArray() ?? []);
        Assert.True(Base64Url.DecodeFromChars((string)options["challenge"]!).Length >= 32);
    }

    [Fact]
    public async Task A_further_factor_names_the_persons_own_passkeys_and_needs_no_verification()
    {
        using var authenticator = await RegisteredAsync(Alice);
        using var others = await RegisteredAsync(Mallory);
        var begun = (await BeginFactorAsync(Alice))!;
        var options = JsonNode.Parse(begun.Options)!;
        var allowed = options["allowCredentials"]!.AsArray().Select(one => (string)one!["id"]!).ToArray();
        Assert.Contains(Base64Url.EncodeToString(authenticator.CredentialId), allowed);
        Assert.DoesNotContain(Base64Url.EncodeToString(others.CredentialId), allowed);
        Assert.Equal("preferred", (string)options["userVerification"]!);

        // A security key tells no user handle when it was asked for by its id.
        var proof = await FactorAsync(
            Alice, begun, authenticator.Get(begun.Options, Origin, it => it with { UserVerified = false, UserHandle = null }));

        var given = Assert.IsType<PasskeyProof.Given>(proof);
        Assert.False(given.IsUserVerified);
        Assert.Equal(["pop", "user"], given.Amr);
    }

    [Fact]
    public async Task Who_has_no_passkey_is_asked_for_none()
    {
        Assert.Null(await BeginFactorAsync(Alice));
        Assert.Null(await BeginFactorAsync("nobody"));
        Assert.Null(await InAsync((one, http) => one.BeginRegistrationAsync("nobody", Browser, http, Ct).AsTask()));
    }

    [Theory, MemberData(nameof(RegistrationNames))]
    public async Task A_false_registration_is_refused(string what)
    {
        var (lie, reason) = FalseRegistrations[what];
        using var authenticator = new SoftwareAuthenticator();
        var begun = await BeginRegistrationAsync(Alice);

        var refused = await RegisterAsync(Alice, begun, authenticator.Create(begun.Options, Origin, lie));

        await AssertRefusedAsync(reason, refused);
        Assert.Null(await Passkeys.FindAsync(authenticator.CredentialId, Ct));
    }

    [Theory, MemberData(nameof(ProofNames))]
    public async Task A_false_proof_is_refused(string what)
    {
        var (lie, reason) = FalseProofs[what];
        using var authenticator = await RegisteredAsync(Alice);
        var begun = await BeginSignInAsync();

        var refused = await SignInAsync(begun, authenticator.Get(begun.Options, Origin, lie));

        await AssertRefusedAsync(reason, refused);
        Assert.Null((await Passkeys.FindAsync(authenticator.CredentialId, Ct))!.LastUsedAt);
    }

    [Theory]
    [InlineData("http://localhost:1")]
    [InlineData("android:apk-key-hash:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task Other_origins_are_taken_when_a_setting_names_them(string origin)
    {
        using var authenticator = await RegisteredAsync(Alice);
        var begun = await BeginSignInAsync();

        Assert.IsType<PasskeyProof.Given>(await SignInAsync(begun, authenticator.Get(begun.Options, origin)));
    }

    [Fact]
    public async Task The_Origin_header_decides_nothing()
    {
        using var authenticator = await RegisteredAsync(Alice);
        var begun = await BeginSignInAsync();
        var evil = authenticator.Get(begun.Options, "https://evil.example");

        await AssertRefusedAsync(
            "wrong_origin", await SignInAsync(begun, evil, request => request.Headers.Origin = "https://evil.example"));

        begun = await BeginSignInAsync();
        Assert.IsType<PasskeyProof.Given>(await SignInAsync(
            begun, authenticator.Get(begun.Options, Origin), request => request.Headers.Origin = "https://evil.example"));
    }

    [Fact]
    public async Task The_Host_header_decides_nothing()
    {
        using var authenticator = new SoftwareAuthenticator();
        static void Evil(Microsoft.AspNetCore.Http.HttpRequest request) => request.Host = new("evil.example");
        var begun = (await InAsync((one, http) => one.BeginRegistrationAsync(Alice, Browser, http, Ct).AsTask(), Evil))!;
        Assert.DoesNotContain("evil", begun.Options, StringComparison.Ordinal);
        Assert.IsType<PasskeyRegistration.Added>(await RegisterAsync(Alice, begun, authenticator.Create(begun.Options, Origin), Evil));

        begun = await InAsync((one, http) => one.BeginSignInAsync(Browser, http, Ct).AsTask(), Evil);
        Assert.DoesNotContain("evil", begun.Options, StringComparison.Ordinal);
        var bound = authenticator.Get(begun.Options, Origin, it => it with { RpId = "evil.example" });
        await AssertRefusedAsync("wrong_rp_id", await SignInAsync(begun, bound, Evil));
    }

    [Fact]
    public async Task An_assertion_posted_again_is_known_for_a_replay()
    {
        using var authenticator = await RegisteredAsync(Alice);
        var begun = await BeginSignInAsync();
        var assertion = authenticator.Get(begun.Options, Origin);
        Assert.IsType<PasskeyProof.Given>(await SignInAsync(begun, assertion));

        await AssertRefusedAsync("replayed", await SignInAsync(begun, assertion));
        var next = await BeginSignInAsync();
        await AssertRefusedAsync("wrong_challenge", await SignInAsync(next, assertion));

        // A ceremony is over also when it was refused.
        await AssertRefusedAsync("replayed", await SignInAsync(next, authenticator.Get(next.Options, Origin)));
    }

    [Fact]
    public async Task Of_many_who_post_the_same_assertion_at_once_one_is_believed()
    {
        using var authenticator = await RegisteredAsync(Alice);
        var begun = await BeginSignInAsync();
        var assertion = authenticator.Get(begun.Options, Origin);

        var proofs = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => SignInAsync(begun, assertion))));

        Assert.Single(proofs, proof => proof is PasskeyProof.Given);
        Assert.Equal(7, proofs.Count(proof => proof is PasskeyProof.Refused { Reason: "replayed" }));
    }

    [Fact]
    public async Task Of_two_clones_that_count_alike_one_is_believed()
    {
        using var authenticator = new SoftwareAuthenticator { Counts = true, SignCount = 5 };
        await RegisteredAsync(Alice, authenticator);
        BegunCeremony[] begun = [await BeginSignInAsync(), await BeginSignInAsync()];
        var assertions = begun.Select(one => authenticator.Get(one.Options, Origin, it => it with { SignCount = 6 })).ToArray();

        var proofs = await Task.WhenAll(Enumerable.Range(0, 2).Select(i => Task.Run(() => SignInAsync(begun[i], assertions[i]))));

        Assert.Single(proofs, proof => proof is PasskeyProof.Given);
        Assert.Single(proofs, proof => proof is PasskeyProof.Refused { Reason: "counter_regress" });
    }

    [Theory]
    [InlineData(7u)]
    [InlineData(6u)]
    [InlineData(0u)]
    public async Task A_counter_that_does_not_grow_is_refused_and_told(uint count)
    {
        using var authenticator = new SoftwareAuthenticator { SignCount = 7 };
        await RegisteredAsync(Alice, authenticator);
        var begun = await BeginSignInAsync();

        await AssertRefusedAsync(
            "counter_regress", await SignInAsync(begun, authenticator.Get(begun.Options, Origin, it => it with { SignCount = count })));

        var audit = await NewestRefusalAsync();
        Assert.Equal(
            ("anonymous", Alice, "sign_in " + Passkey.IdOf(authenticator.CredentialId)), (audit.Actor, audit.Subject, audit.Detail));
        begun = await BeginSignInAsync();
        Assert.IsType<PasskeyProof.Given>(
            await SignInAsync(begun, authenticator.Get(begun.Options, Origin, it => it with { SignCount = 8 })));
        Assert.Equal(8, (await Passkeys.FindAsync(authenticator.CredentialId, Ct))!.SignCount);
    }

    [Fact]
    public async Task A_factor_is_the_persons_own()
    {
        using var alices = await RegisteredAsync(Alice);
        using var mallorys = await RegisteredAsync(Mallory);

        var begun = (await BeginFactorAsync(Alice))!;
        await AssertRefusedAsync("unknown_credential", await FactorAsync(Alice, begun, mallorys.Get(begun.Options, Origin)));

        begun = (await BeginFactorAsync(Alice))!;
        await AssertRefusedAsync(
            "wrong_user_handle",
            await FactorAsync(Alice, begun, alices.Get(begun.Options, Origin, it => it with { UserHandle = mallorys.UserHandle })));

        // Mallory's ceremony does not finish Alice's sign-in, with whosever passkey.
        begun = (await BeginFactorAsync(Mallory))!;
        await AssertRefusedAsync("other_person", await FactorAsync(Alice, begun, mallorys.Get(begun.Options, Origin)));

        // Nobody signs in as Alice with another's passkey.
        begun = await BeginSignInAsync();
        await AssertRefusedAsync(
            "unknown_credential",
            await SignInAsync(begun, mallorys.Get(begun.Options, Origin, it => it with { UserHandle = alices.UserHandle })));
    }

    [Fact]
    public async Task A_registration_is_for_whom_it_began()
    {
        using var authenticator = new SoftwareAuthenticator();
        var begun = await BeginRegistrationAsync(Mallory);

        await AssertRefusedAsync("other_person", await RegisterAsync(Alice, begun, authenticator.Create(begun.Options, Origin)));
    }

    [Fact]
    public async Task A_credential_is_registered_once()
    {
        using var authenticator = await RegisteredAsync(Alice);
        foreach (var subject in new[] { Alice, Mallory })
        {
            var begun = await BeginRegistrationAsync(subject);
            await AssertRefusedAsync("already_registered", await RegisterAsync(subject, begun, authenticator.Create(begun.Options, Origin)));
        }

        Assert.Equal(Alice, (await Passkeys.FindAsync(authenticator.CredentialId, Ct))!.Subject);
    }

    [Fact]
    public async Task There_is_an_end_to_how_many()
    {
        for (var i = 0; i < IPasskeys.Most; i++)
        {
            (await RegisteredAsync(Alice)).Dispose();
        }

        using var authenticator = new SoftwareAuthenticator();
        var begun = await BeginRegistrationAsync(Alice);
        await AssertRefusedAsync("too_many", await RegisterAsync(Alice, begun, authenticator.Create(begun.Options, Origin)));
    }

    [Fact]
    public async Task What_says_nothing_true_about_transports_or_attestation_is_not_kept()
    {
        using var authenticator = new SoftwareAuthenticator();
        var begun = await BeginRegistrationAsync(Alice);
        var claims = authenticator.Create(begun.Options, Origin, it => it with
        {
            Format = "packed",
            Transports = ["usb", "usb", "<script>", .. Enumerable.Repeat("telepathy", 500)],
        });

        var added = Assert.IsType<PasskeyRegistration.Added>(await RegisterAsync(Alice, begun, claims));

        Assert.Equal(["usb"], added.Passkey.Transports);
    }

    [Fact]
    public async Task A_ceremony_ends()
    {
        using var authenticator = await RegisteredAsync(Alice);
        var begun = await BeginSignInAsync();
        var assertion = authenticator.Get(begun.Options, Origin);
        Server.Clock.Advance(PasskeyCeremonies.Lifetime);

        await AssertRefusedAsync("expired", await SignInAsync(begun, assertion));
    }

    [Fact]
    public async Task A_ceremony_is_finished_in_its_browser_and_for_its_purpose()
    {
        using var authenticator = await RegisteredAsync(Alice);
        var begun = await BeginSignInAsync();
        var assertion = authenticator.Get(begun.Options, Origin);

        await AssertRefusedAsync("other_kind", await FactorAsync(Alice, begun, assertion));
        var elsewhere = await InAsync((one, http) =>
            one.FinishSignInAsync(new(begun.Handle, assertion, Handle.Create().Hash, http), Ct).AsTask());
        await AssertRefusedAsync("other_browser", elsewhere);
        Assert.IsType<PasskeyProof.Given>(await SignInAsync(begun, assertion));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("made up")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public async Task Without_a_ceremony_there_is_nothing_to_finish(string? handle)
    {
        using var authenticator = await RegisteredAsync(Alice);
        var begun = await BeginSignInAsync();
        var assertion = authenticator.Get(begun.Options, Origin);

        await AssertRefusedAsync(
            "not_under_way",
            await InAsync((one, http) => one.FinishSignInAsync(new(handle, assertion, Browser, http), Ct).AsTask()));
        await AssertRefusedAsync(
            "not_under_way",
            await InAsync((one, http) => one.FinishRegistrationAsync(Alice, null, "Key", null, new(handle, assertion, Browser, http), Ct).AsTask()));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("\"text\"")]
    [InlineData("{\"id\":\"AQ\",\"type\":\"public-key\",\"response\":null}")]
    [InlineData("{\"id\":\"AQ\",\"type\":\"public-key\",\"response\":{}}")]
    [InlineData("{\"id\":\"!\",\"type\":\"public-key\",\"response\":{}}")]
    [InlineData("{\"id\":7}")]
    [InlineData("{\"id\":\"AQ\"")]
    public async Task What_is_no_credential_is_refused(string? posted)
    {
        await AssertRefusedAsync("malformed", await SignInAsync(await BeginSignInAsync(), posted));
        await AssertRefusedAsync("malformed", await RegisterAsync(Alice, await BeginRegistrationAsync(Alice), posted));
    }

    [Fact]
    public async Task What_is_too_long_is_not_read()
    {
        await AssertRefusedAsync("malformed", await SignInAsync(await BeginSignInAsync(), new string(' ', 40_000) + "{}"));
    }

    [Fact]
    public async Task Whatever_is_posted_nothing_but_a_refusal_comes_of_it()
    {
        using var authenticator = await RegisteredAsync(Alice);
        var values = Gen.OneOf(
            Gen.Elements("", "AQ", "!", "public-key", "webauthn.get", new string('A', 3000), "\0", "\ud800"),
            ArbMap.Default.GeneratorFor<byte[]>().Select(bytes => Base64Url.EncodeToString(bytes ?? [])));
        string[] paths = ["id", "rawId", "type", "response", "clientDataJSON", "authenticatorData", "signature", "userHandle", "attestationObject"];
        var changes = Gen.Elements(paths).Zip(values).ListOf().Zip(Gen.Choose(0, 5));

        foreach (var (change, kind) in changes.Sample(100))
        {
            var begun = await BeginSignInAsync();
            var real = JsonNode.Parse(authenticator.Get(begun.Options, Origin))!.AsObject();

            // Always one change at least: what is true is believed.
            real["response"]!["signature"] = "AAAA";
            foreach (var (path, value) in change)
            {
                var holder = path is "id" or "rawId" or "type" or "response" ? real : real["response"] as JsonObject;
                if (holder is not null)
                {
                    holder[path] = kind switch
                    {
                        0 => null,
                        1 => 7,
                        2 => new JsonArray(value),
                        3 => new JsonObject { [path] = value },
                        _ => value,
                    };
                }
            }

            var json = real.ToJsonString();
            Assert.IsType<PasskeyProof.Refused>(await SignInAsync(begun, json));
            Assert.IsType<PasskeyProof.Refused>(await FactorAsync(Alice, (await BeginFactorAsync(Alice))!, json));
            Assert.IsType<PasskeyRegistration.Refused>(await RegisterAsync(Alice, await BeginRegistrationAsync(Alice), json));
        }

        foreach (var text in ArbMap.Default.GeneratorFor<string>().Sample(80))
        {
            Assert.IsType<PasskeyProof.Refused>(await SignInAsync(await BeginSignInAsync(), text));
            Assert.IsType<PasskeyRegistration.Refused>(await RegisterAsync(Alice, await BeginRegistrationAsync(Alice), text));
        }
    }

    [Fact]
    public async Task Random_octets_in_an_attestation_are_refused()
    {
        using var authenticator = new SoftwareAuthenticator();
        var bytes = ArbMap.Default.GeneratorFor<byte[]>();
        foreach (var (noise, at) in bytes.Zip(Gen.Choose(0, 250)).Sample(200))
        {
            var begun = await BeginRegistrationAsync(Alice);
            var posted = authenticator.Create(begun.Options, Origin, it => it with
            {
                UserPresent = false,
                AttestationObject = data => [.. data[..Math.Min(at, data.Length)], .. noise ?? [], .. data[Math.Min(at + 1, data.Length)..]],
            });
            Assert.IsType<PasskeyRegistration.Refused>(await RegisterAsync(Alice, begun, posted));
        }
    }
}
