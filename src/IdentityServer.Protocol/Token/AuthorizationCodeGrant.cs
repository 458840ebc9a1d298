using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Issuance;
using IdentityServer.Protocol.Revocations;
using Microsoft.Extensions.Logging;

namespace IdentityServer.Protocol.Token;

/// <summary>Trades a code for tokens, once (RFC 6749 §4.1.3, RFC 9700 §4.5).</summary>
public sealed partial class AuthorizationCodeGrant(
    IGrantStore grants, Revoker revoker, TokenIssuer issuer, TimeProvider clock, ILogger<AuthorizationCodeGrant> logger) : ITokenGrant
{
    public string GrantType => GrantTypes.AuthorizationCode;

    public async ValueTask<Result<Entitlement>> AuthorizeAsync(TokenRequest request, CancellationToken ct)
    {
        var (client, parameters, address) = request;
        if (parameters["code"] is not { } text)
        {
            return ProtocolError.Missing("code");
        }

        // 1 the code belongs to this client
        var found = await grants.FindTokenAsync(TokenKind.Code, Handle.HashOf(text), ct);
        if (found is not { Grant: { } grant } code || code.ClientId != client.Id)
        {
            return Invalid("unknown code, or another client's");
        }

        // 2 nobody used it: a second use means that a copy is about, so everything issued from it ends
        var now = clock.GetUtcNow();
        if (code.SpentAt is not null)
        {
            return await EndReusedAsync(grant, client, address, ct);
        }

        // 3 it is alive, and bound to this redirect URI and this verifier
        if (code.ExpiresAt <= now)
        {
            return Invalid("expired");
        }

        if (code.EndedAt is not null || grant.EndedAt is not null)
        {
            RevocationMetrics.WasPresented("code");
            return Invalid("ended");
        }

        if (AuthorizationCode.FromJson(code.Payload) is not { } bound
            || (parameters["redirect_uri"] is { } redirectUri && redirectUri != bound.RedirectUri))
        {
            return Invalid("redirect_uri differs");
        }

        if (parameters["code_verifier"] is not { } verifier)
        {
            return ProtocolError.Missing("code_verifier");
        }

        if (!Pkce.Verify(verifier, bound.CodeChallenge))
        {
            return Invalid("code_verifier does not match");
        }

        // 4 spend it; what it buys is stored in the same transaction
        Handle? refresh = client.MayUse(GrantTypes.RefreshToken) ? Handle.Create() : null;
        var entitlement = new Entitlement
        {
            Client = client,
            Subject = grant.Subject,
            Scopes = grant.Scopes,
            Grant = grant,
            IssuedAt = now,
            Nonce = bound.Nonce,
            AccessHandle = TokenIssuer.NewAccessHandle(client),
            RefreshToken = refresh?.Text,
        };
        var bought = new List<TokenRecord>(2);
        if (refresh is { } handle)
        {
            bought.Add(RefreshTokenGrant.NewRecord(handle, client, grant, now));
        }

        if (issuer.RecordOf(entitlement) is { } reference)
        {
            bought.Add(reference);
        }

        var audit = new AuditEvent(AuditTypes.CodeRedeemed, now)
        {
            Actor = "client:" + client.Id,
            ClientId = client.Id,
            Subject = grant.Subject,
            SessionId = grant.SessionId,
            GrantId = grant.Id,
            Address = address,
        };
        if (await grants.SpendAsync(code, bought, sealedSuccessor: null, now, audit, ct))
        {
            return entitlement;
        }

        // Lost: to another use of the same code, or to an ending.
        return await grants.FindTokenAsync(TokenKind.Code, code.Hash, ct) is { SpentAt: not null }
            ? await EndReusedAsync(grant, client, address, ct)
            : Invalid("ended meanwhile");
    }

    private async ValueTask<ProtocolError> EndReusedAsync(Grant grant, Client client, string? address, CancellationToken ct)
    {
        await revoker.EndReusedGrantAsync(grant, new Cause("code_reuse", "client:" + client.Id, address), ct);
        LogReuse(logger, client.Id, grant.Id);
        return Invalid("used before");
    }

    private static ProtocolError Invalid(string detail) => ProtocolError.InvalidGrant("The code is not valid.", detail);

    [LoggerMessage(2102, LogLevel.Warning, "A code of client {ClientId} was presented twice; grant {GrantId} ended.")]
    private static partial void LogReuse(ILogger logger, string clientId, string grantId);
}
