using IdentityServer.Protocol.Keys;

namespace IdentityServer.Protocol.Discovery;

/// <summary>The published keys, prepared (RFC 7517 §5).</summary>
public sealed class JwksEndpoint(SigningKeyRing keys, ProtocolOptions options)
{
    public ProtocolResponse Handle()
    {
        var current = keys.Current;
        return new ProtocolResponse.Document(current.Jwks, "application/jwk-set+json", current.ETag, options.DocumentMaxAge);
    }
}
