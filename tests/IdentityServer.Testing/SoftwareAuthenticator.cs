using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace IdentityServer.Testing;

/// <summary>
/// An authenticator and the browser in front of it, in software: one discoverable credential. It answers what
/// <c>navigator.credentials</c> is asked as <c>PublicKeyCredential.toJSON()</c> would, and lies wherever a test wants it to.
/// </summary>
public sealed class SoftwareAuthenticator : IDisposable
{
    public const int Es256 = -7;
    public const int Rs256 = -257;

    /// <summary>Nothing here signs with it; it is only ever claimed.</summary>
    public const int EdDsa = -8;

    private readonly ECDsa? _ec;
    private readonly RSA? _rsa;

    public SoftwareAuthenticator(int algorithm = Es256)
    {
        Algorithm = algorithm;
        if (algorithm == Rs256)
        {
            _rsa = RSA.Create(2048);
        }
        else
        {
            _ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        }
    }

    public int Algorithm { get; }

    public byte[] CredentialId { get; } = RandomNumberGenerator.GetBytes(32);

    /// <summary>What the server called the person when the credential was made: base64url.</summary>
    public string? UserHandle { get; set; }

    /// <summary>It counts: each assertion says one more. Synced passkeys do not count.</summary>
    public bool Counts { get; set; }

    public uint SignCount { get; set; }

    /// <summary>The credential may be synced, and is.</summary>
    public bool IsSynced { get; set; }

    /// <summary>Makes the credential, as <c>navigator.credentials.create()</c>.</summary>
    /// <param name="options">What the server sent: JSON of <c>PublicKeyCredentialCreationOptions</c>.</param>
    /// <param name="origin">Where the page is.</param>
    /// <param name="lie">Changes what is claimed before it is written down.</param>
    public string Create(string options, string origin, Func<AuthenticatorClaims, AuthenticatorClaims>? lie = null)
    {
        var asked = JsonNode.Parse(options)!;
        UserHandle = (string)asked["user"]!["id"]!;
        var claims = Claims("webauthn.create", (string)asked["challenge"]!, (string?)asked["rp"]!["id"], origin);
        claims = lie?.Invoke(claims) ?? claims;

        byte[] credential =
        [
            .. new byte[16], (byte)(claims.CredentialId.Length >> 8), (byte)claims.CredentialId.Length, .. claims.CredentialId,
            .. claims.PublicKey(PublicKey(claims.Algorithm)),
        ];
        var data = claims.AuthenticatorData(AuthenticatorData(claims, credential));
        var attestation = claims.AttestationObject(
        [
            0xa3, .. Text("fmt"), .. Text(claims.Format), .. Text("attStmt"), .. claims.Statement, .. Text("authData"), .. Bytes(data),
        ]);
        return Answer(claims, new JsonObject
        {
            ["clientDataJSON"] = Base64Url.EncodeToString(ClientData(claims)),
            ["attestationObject"] = Base64Url.EncodeToString(attestation),
            ["authenticatorData"] = Base64Url.EncodeToString(data),
            ["publicKeyAlgorithm"] = claims.Algorithm,
            ["transports"] = new JsonArray([.. claims.Transports.Select(transport => JsonValue.Create(transport))]),
        });
    }

    /// <summary>Proves possession, as <c>navigator.credentials.get()</c>.</summary>
    /// <param name="options">What the server sent: JSON of <c>PublicKeyCredentialRequestOptions</c>.</param>
    /// <param name="origin">Where the page is.</param>
    /// <param name="lie">Changes what is claimed before it is signed.</param>
    public string Get(string options, string origin, Func<AuthenticatorClaims, AuthenticatorClaims>? lie = null)
    {
        var asked = JsonNode.Parse(options)!;
        if (Counts)
        {
            SignCount++;
        }

        var claims = Claims("webauthn.get", (string)asked["challenge"]!, (string?)asked["rpId"], origin);
        claims = lie?.Invoke(claims) ?? claims;

        var data = claims.AuthenticatorData(AuthenticatorData(claims, credential: []));
        var clientData = ClientData(claims);
        var signature = claims.Signature(Sign([.. data, .. SHA256.HashData(clientData)]));
        return Answer(claims, new JsonObject
        {
            ["clientDataJSON"] = Base64Url.EncodeToString(clientData),
            ["authenticatorData"] = Base64Url.EncodeToString(data),
            ["signature"] = Base64Url.EncodeToString(signature),
            ["userHandle"] = claims.UserHandle,
        });
    }

    public void Dispose()
    {
        _ec?.Dispose();
        _rsa?.Dispose();
    }

    private AuthenticatorClaims Claims(string type, string challenge, string? rpId, string origin) => new()
    {
        Type = type,
        Challenge = challenge,
        Origin = origin,
        RpId = rpId ?? "",
        BackupEligible = IsSynced,
        BackedUp = IsSynced,
        SignCount = SignCount,
        CredentialId = CredentialId,
        UserHandle = UserHandle,
        Algorithm = Algorithm,
    };

    private static string Answer(AuthenticatorClaims claims, JsonObject response) => new JsonObject
    {
        ["id"] = Base64Url.EncodeToString(claims.PostedId ?? claims.CredentialId),
        ["rawId"] = Base64Url.EncodeToString(claims.PostedId ?? claims.CredentialId),
        ["type"] = claims.CredentialType,
        ["authenticatorAttachment"] = "platform",
        ["clientExtensionResults"] = new JsonObject(),
        ["response"] = response,
    }.ToJsonString();

    private static byte[] ClientData(AuthenticatorClaims claims)
    {
        var data = new JsonObject
        {
            ["type"] = claims.Type,
            ["challenge"] = claims.Challenge,
            ["origin"] = claims.Origin,
            ["crossOrigin"] = claims.CrossOrigin,
        };
        if (claims.TopOrigin is not null)
        {
            data["topOrigin"] = claims.TopOrigin;
        }

        return Encoding.UTF8.GetBytes(data.ToJsonString());
    }

    private static byte[] AuthenticatorData(AuthenticatorClaims claims, byte[] credential)
    {
        var flags = (claims.UserPresent ? 0x01 : 0)
            | (claims.UserVerified ? 0x04 : 0)
            | (claims.BackupEligible ? 0x08 : 0)
            | (claims.BackedUp ? 0x10 : 0)
            | (credential.Length > 0 ? 0x40 : 0);
        var count = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(count, claims.SignCount);
        return [.. SHA256.HashData(Encoding.UTF8.GetBytes(claims.RpId)), (byte)flags, .. count, .. credential];
    }

    private byte[] Sign(byte[] data) =>
        _rsa?.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
        ?? _ec!.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);

    // COSE_Key (RFC 9053 §7), in CTAP2's canonical order.
    private byte[] PublicKey(int algorithm)
    {
        if (_rsa is not null)
        {
            var rsa = _rsa.ExportParameters(includePrivateParameters: false);
            return [0xa4, 0x01, 0x03, 0x03, .. Int(algorithm), 0x20, .. Bytes(rsa.Modulus!), 0x21, .. Bytes(rsa.Exponent!)];
        }

        var ec = _ec!.ExportParameters(includePrivateParameters: false);
        return algorithm == EdDsa
            ? [0xa4, 0x01, 0x01, 0x03, .. Int(algorithm), 0x20, 0x06, 0x21, .. Bytes(ec.Q.X!)]
            : [0xa5, 0x01, 0x02, 0x03, .. Int(algorithm), 0x20, 0x01, 0x21, .. Bytes(ec.Q.X!), 0x22, .. Bytes(ec.Q.Y!)];
    }

    // CBOR (RFC 8949), as much of it as is needed.
    private static byte[] Text(string text) => [.. Head(3, text.Length), .. Encoding.ASCII.GetBytes(text)];

    private static byte[] Bytes(byte[] bytes) => [.. Head(2, bytes.Length), .. bytes];

    private static byte[] Int(int value) => value < 0 ? Head(1, -1 - value) : Head(0, value);

    private static byte[] Head(int major, int value) => value switch
    {
        < 24 => [(byte)((major << 5) | value)],
        < 256 => [(byte)((major << 5) | 24), (byte)value],
        _ => [(byte)((major << 5) | 25), (byte)(value >> 8), (byte)value],
    };
}

/// <summary>Everything an authenticator and a browser claim. A test makes a lie of any of it.</summary>
public sealed record AuthenticatorClaims
{
    public required string Type { get; init; }

    /// <summary>Base64url.</summary>
    public required string Challenge { get; init; }

    public required string Origin { get; init; }

    public bool CrossOrigin { get; init; }

    public string? TopOrigin { get; init; }

    public required string RpId { get; init; }

    public bool UserPresent { get; init; } = true;

    public bool UserVerified { get; init; } = true;

    public bool BackupEligible { get; init; }

    public bool BackedUp { get; init; }

    public uint SignCount { get; init; }

    public required byte[] CredentialId { get; init; }

    /// <summary>The id beside the response, where it is another than the one inside.</summary>
    public byte[]? PostedId { get; init; }

    public string CredentialType { get; init; } = "public-key";

    /// <summary>Base64url.</summary>
    public string? UserHandle { get; init; }

    public int Algorithm { get; init; }

    public IReadOnlyList<string> Transports { get; init; } = ["internal"];

    /// <summary>Of the attestation.</summary>
    public string Format { get; init; } = "none";

    /// <summary>CBOR: an empty map.</summary>
    public byte[] Statement { get; init; } = [0xa0];

    public Func<byte[], byte[]> AuthenticatorData { get; init; } = data => data;

    public Func<byte[], byte[]> AttestationObject { get; init; } = data => data;

    public Func<byte[], byte[]> PublicKey { get; init; } = data => data;

    public Func<byte[], byte[]> Signature { get; init; } = data => data;
}
