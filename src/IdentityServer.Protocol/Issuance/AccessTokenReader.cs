using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Keys;
using IdentityServer.Protocol.Revocations;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace IdentityServer.Protocol.Issuance;

/// <summary>Says what one of our access tokens means, if it is alive: for introspection, UserInfo and revocation.</summary>
public sealed class AccessTokenReader(
    SigningKeyRing keys,
    IGrantStore grants,
    RevocationList revocations,
    ClientDirectory clients,
    ChangeFeed feed,
    ProtocolOptions options,
    TimeProvider clock)
{
    private const int MaxLength = 8192;
    private const int HandleLength = 43;

    private static readonly JsonWebTokenHandler Jwt = new() { MaximumTokenSizeInBytes = MaxLength };

    private readonly KnownTokens _known = new();

    /// <summary>
    /// The token, or <see langword="null"/> when it is not ours, over, or ended. To be asked again by whoever waited for something since:
    /// meanwhile it may have been ended, and this node stopped.
    /// </summary>
    public async ValueTask<AccessToken?> ReadAsync(string text, CancellationToken ct)
    {
        // Nothing is called alive from a memory that slept, nor is its signature checked with keys from there.
        await feed.RefreshAsync(ct);
        var token = text.Length == HandleLength ? await ReadReferenceAsync(text, ct) : await ReadJwtAsync(text);
        if (token is null || await clients.FindAsync(token.ClientId, ct) is null)
        {
            return null;
        }

        // The database may have kept us waiting. Nothing does after this.
        await feed.RefreshAsync(ct);
        if (clock.GetUtcNow().ToUnixTimeSeconds() >= token.ExpiresAt)
        {
            return null;
        }

        if (revocations.IsEnded(token))
        {
            RevocationMetrics.WasPresented("access");
            return null;
        }

        return token;
    }

    private async ValueTask<AccessToken?> ReadReferenceAsync(string text, CancellationToken ct)
    {
        if (await grants.FindTokenAsync(TokenKind.Reference, Handle.HashOf(text), ct) is not { Payload: { } claims } record)
        {
            return null;
        }

        if (record is { EndedAt: null, Grant: null or { EndedAt: null } })
        {
            return AccessToken.FromJson(claims);
        }

        RevocationMetrics.WasPresented("access");
        return null;
    }

    private async ValueTask<AccessToken?> ReadJwtAsync(string text)
    {
        if (text.Length > MaxLength)
        {
            return null;
        }

        // A verification costs as much as two signatures: a token seen before is known by its hash.
        var hash = KnownTokens.HashOf(text);
        var published = keys.Current.Published;
        if (_known.Find(hash) is { } known)
        {
            return published.ContainsKey(known.Kid) ? known.Token : null;
        }

        if (await VerifyAsync(text, published) is not { } verified)
        {
            return null;
        }

        _known.Add(hash, verified);
        return verified.Token;
    }

    private async ValueTask<KnownToken?> VerifyAsync(string text, IReadOnlyDictionary<string, SecurityKey> published)
    {
        JsonWebToken token;
        try
        {
            token = new JsonWebToken(text);
        }
        catch (ArgumentException)
        {
            return null;
        }

        if (token.Kid is not { Length: > 0 } kid || !published.TryGetValue(kid, out var key))
        {
            KeyMetrics.UnknownKidPresented();
            return null;
        }

        if (((JsonWebKey)key).Alg != token.Alg)
        {
            return null;
        }

        var result = await Jwt.ValidateTokenAsync(token, new TokenValidationParameters
        {
            IssuerSigningKey = key,
            ValidIssuer = options.Issuer,
            ValidTypes = ["at+jwt"],
            ValidAlgorithms = [token.Alg],
            ValidateAudience = false,

            // Our clock, not the machine's: the caller compares.
            ValidateLifetime = false,
        });
        return result.IsValid && ToAccessToken(token) is { } read ? new KnownToken(kid, read) : null;
    }

    private static AccessToken? ToAccessToken(JsonWebToken token) =>
        AccessToken.FromJson(Base64UrlEncoder.Decode(token.EncodedPayload) is var json && json.Contains("\"aud\":\"", StringComparison.Ordinal)
            ? WithAudienceList(json)
            : json);

    // "aud" may be one string (RFC 7519 §4.1.3); ours is read as a list.
    private static string WithAudienceList(string json)
    {
        var node = JsonNode.Parse(json)!.AsObject();
        if (node["aud"] is JsonValue single)
        {
            node["aud"] = new JsonArray(single.GetValue<string>());
        }

        return node.ToJsonString();
    }

    private sealed record KnownToken(string Kid, AccessToken Token);

    /// <summary>Verified tokens by hash, in two generations so that memory stays bounded without bookkeeping per use.</summary>
    private sealed class KnownTokens
    {
        private const int GenerationSize = 20_000;

        private ConcurrentDictionary<UInt128, KnownToken> _young = new();
        private ConcurrentDictionary<UInt128, KnownToken> _old = new();
        private int _count;

        // 128 bits of SHA-256 are enough: who could find a second preimage could forge the signature's hash as well.
        public static UInt128 HashOf(string text)
        {
            Span<byte> bytes = stackalloc byte[MaxLength];
            if (!Encoding.UTF8.TryGetBytes(text, bytes, out var length))
            {
                return UInt128.Zero;
            }

            Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
            SHA256.HashData(bytes[..length], hash);
            return BinaryPrimitives.ReadUInt128LittleEndian(hash);
        }

        public KnownToken? Find(UInt128 hash)
        {
            if (_young.TryGetValue(hash, out var token))
            {
                return token;
            }

            if (_old.TryGetValue(hash, out token))
            {
                Add(hash, token);
            }

            return token;
        }

        public void Add(UInt128 hash, KnownToken token)
        {
            // The zero hash stands for text too long to hash here: never remembered.
            if (hash == UInt128.Zero || !_young.TryAdd(hash, token))
            {
                return;
            }

            if (Interlocked.Increment(ref _count) >= GenerationSize)
            {
                Interlocked.Exchange(ref _count, 0);
                _old = Interlocked.Exchange(ref _young, new ConcurrentDictionary<UInt128, KnownToken>());
            }
        }
    }
}
