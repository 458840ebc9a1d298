using System.Security.Cryptography;
using System.Text;

namespace IdentityServer.Protocol.Clients;

/// <summary>Proves which client is calling (RFC 6749 §2.3, OpenID Connect Core §9).</summary>
/// <remarks>A secret is accepted in the header or the body, whichever the client was registered for: see docs/adr/0004.</remarks>
public sealed class ClientAuthenticator(ClientDirectory clients, ClientAssertion assertions, TimeProvider clock)
{
    private const int MaxHeader = 2048;

    /// <summary>The client, or <c>invalid_client</c> (401), or <c>invalid_request</c> when two methods are used at once.</summary>
    public async ValueTask<Result<Client>> AuthenticateAsync(OAuthRequest request, string endpoint, CancellationToken ct)
    {
        if (!Read(request).TryGet(out var presented, out var error))
        {
            return error;
        }

        var client = await clients.FindAsync(presented.ClientId, ct);
        return presented switch
        {
            _ when client is null => ProtocolError.InvalidClient("unknown client"),
            { Assertion: { } assertion } => await assertions.VerifyAsync(client, assertion, endpoint, ct),
            { Secret: { } secret } => SecretMatches(client, secret) ? client : ProtocolError.InvalidClient("wrong secret"),
            _ when client.IsPublic => client,
            _ => ProtocolError.InvalidClient("the client must authenticate"),
        };
    }

    /// <summary>The same, but public clients are refused: they cannot prove that they are themselves.</summary>
    public async ValueTask<Result<Client>> AuthenticateConfidentialAsync(
        OAuthRequest request, string endpoint, CancellationToken ct)
    {
        var authenticated = await AuthenticateAsync(request, endpoint, ct);
        return authenticated.TryGet(out var client, out _) && client.IsPublic
            ? ProtocolError.InvalidClient("a public client may not use this endpoint")
            : authenticated;
    }

    private bool SecretMatches(Client client, string secret)
    {
        if (client.AuthMethod is not (ClientAuthMethods.Basic or ClientAuthMethods.Post))
        {
            return false;
        }

        // Secrets are ours and carry 256 bits, so one SHA-256 is enough and keeps this path at microseconds.
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(secret), hash);
        var now = clock.GetUtcNow();
        var matches = false;
        foreach (var live in client.Secrets)
        {
            matches |= (live.ExpiresAt is null || now < live.ExpiresAt) & live.Matches(hash);
        }

        return matches;
    }

    private static Result<Credentials> Read(OAuthRequest request)
    {
        var parameters = request.Parameters;
        var id = parameters["client_id"];
        var secret = parameters["client_secret"];
        var assertion = parameters["client_assertion"];

        if (request.Authorization is { } header)
        {
            if (secret is not null || assertion is not null)
            {
                return ProtocolError.InvalidRequest("The client authenticated in more than one way.");
            }

            if (ReadBasic(header) is not { } basic)
            {
                return ProtocolError.InvalidClient("malformed Authorization header");
            }

            return id is null || id == basic.ClientId
                ? basic
                : ProtocolError.InvalidClient("client_id differs from the Authorization header");
        }

        if (assertion is not null || parameters["client_assertion_type"] is not null)
        {
            if (secret is not null)
            {
                return ProtocolError.InvalidRequest("The client authenticated in more than one way.");
            }

            return assertion is not null && parameters["client_assertion_type"] == ClientAssertion.Type
                ? ReadAssertion(assertion, id)
                : ProtocolError.InvalidClient("client_assertion or its type is missing");
        }

        return id is null ? ProtocolError.InvalidClient("no client_id") : new Credentials(id, secret, null);
    }

    private static Result<Credentials> ReadAssertion(string assertion, string? id)
    {
        var subject = ClientAssertion.SubjectOf(assertion);
        return subject is not null && (id is null || id == subject)
            ? new Credentials(subject, null, assertion)
            : ProtocolError.InvalidClient("malformed client_assertion, or client_id differs from its sub");
    }

    private static Credentials? ReadBasic(string header)
    {
        const string Scheme = "Basic ";
        if (header.Length > MaxHeader || !header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        Span<byte> decoded = stackalloc byte[MaxHeader];
        if (!Convert.TryFromBase64Chars(header.AsSpan(Scheme.Length).Trim(), decoded, out var length))
        {
            return null;
        }

        decoded = decoded[..length];
        var colon = decoded.IndexOf((byte)':');
        if (colon <= 0)
        {
            return null;
        }

        // Both parts are form-encoded before they are joined (RFC 6749 §2.3.1).
        var id = ParameterReader.Decode(decoded[..colon]);
        var secret = ParameterReader.Decode(decoded[(colon + 1)..]);
        return id is null || secret is null ? null : new Credentials(id, secret.Length == 0 ? null : secret, null);
    }

    private sealed record Credentials(string ClientId, string? Secret, string? Assertion)
    {
        /// <summary>Deliberately blank: it holds a secret.</summary>
        public override string ToString() => "[credentials]";
    }
}
