using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Issuance;
using IdentityServer.Protocol.Revocations;
using Microsoft.Extensions.Logging;

namespace IdentityServer.Protocol.Token;

/// <summary>Trades a refresh token for its successor (RFC 6749 §6, RFC 9700 §4.14.2; the grace window: docs/adr/0005).</summary>
public sealed partial class RefreshTokenGrant(
    IGrantStore grants,
    Revoker revoker,
    TokenIssuer issuer,
    ProtocolOptions options,
    TimeProvider clock,
    ILogger<RefreshTokenGrant> logger) : ITokenGrant
{
    public string GrantType => GrantTypes.RefreshToken;

    public async ValueTask<Result<Entitlement>> AuthorizeAsync(TokenRequest request, CancellationToken ct)
    {
        var (client, parameters, address) = request;
        if (parameters["refresh_token"] is not { } text)
        {
            return ProtocolError.Missing("refresh_token");
        }

        // 1 the token belongs to this client, and neither it nor its grant is over
        var now = clock.GetUtcNow();
        var found = await grants.FindTokenAsync(TokenKind.Refresh, Handle.HashOf(text), ct);
        if (found is not { Grant: { } grant } token || token.ClientId != client.Id)
        {
            return Invalid("unknown token, or another client's");
        }

        if (grant.EndedAt is not null || token.EndedAt is not null)
        {
            RevocationMetrics.WasPresented("refresh");
            return Invalid("ended");
        }

        // 2 no more than was granted (RFC 6749 §6)
        if (!Narrow(grant, parameters["scope"]).TryGet(out var scopes, out var error))
        {
            return error;
        }

        // 3 spent before: a retry, or a copy
        if (token.SpentAt is not null)
        {
            return await RetryAsync(token, text, request, scopes, now, ct);
        }

        if (token.ExpiresAt <= now)
        {
            return Invalid("expired");
        }

        // 4 spend it; its successor is stored in the same transaction
        var next = Handle.Create();
        var entitlement = Entitle(request, grant, scopes, next.Text, now);
        var stored = issuer.RecordOf(entitlement) is { } reference
            ? new[] { NewRecord(next, client, grant, now), reference }
            : [NewRecord(next, client, grant, now)];
        if (await grants.SpendAsync(token, stored, SuccessorSeal.Seal(text, next.Text), now, Audit(request, grant, now, null), ct))
        {
            return entitlement;
        }

        // Lost the race: what the winner stored is ours as well, if this is within the grace window.
        return await grants.FindTokenAsync(TokenKind.Refresh, token.Hash, ct) is { SpentAt: not null, Grant.EndedAt: null } spent
            ? await RetryAsync(spent, text, request, scopes, now, ct)
            : Invalid("ended meanwhile");
    }

    /// <summary>A refresh token at rest: dead when unused for the client's idle lifetime, and never older than its grant may be.</summary>
    internal static TokenRecord NewRecord(Handle handle, Client client, Grant grant, DateTimeOffset now)
    {
        var idle = now + client.RefreshIdleLifetime;
        return new TokenRecord
        {
            Hash = handle.Hash,
            Kind = TokenKind.Refresh,
            ClientId = client.Id,
            Grant = grant,
            IssuedAt = now,
            ExpiresAt = idle < grant.ExpiresAt ? idle : grant.ExpiresAt,
        };
    }

    private async ValueTask<Result<Entitlement>> RetryAsync(
        TokenRecord spent, string text, TokenRequest request, IReadOnlyList<string> scopes, DateTimeOffset now, CancellationToken ct)
    {
        var grant = spent.Grant!;
        if (options.RefreshGrace > TimeSpan.Zero
            && now - spent.SpentAt <= options.RefreshGrace
            && spent is { SealedSuccessor: { } box, SuccessorHash: { } successorHash }
            && await grants.FindTokenAsync(TokenKind.Refresh, successorHash, ct) is { SpentAt: null, EndedAt: null, Grant.EndedAt: null }
            && SuccessorSeal.Open(text, box) is { } successor)
        {
            var entitlement = Entitle(request, grant, scopes, successor, now);
            if (issuer.RecordOf(entitlement) is { } reference
                && !await grants.AddTokenAsync(reference, Audit(request, grant, now, "grace"), ct))
            {
                return Invalid("ended meanwhile");
            }

            return entitlement;
        }

        // Either party may be the thief, so the grant ends: this one, never the person's others.
        await revoker.EndReusedGrantAsync(grant, new Cause("refresh_reuse", "client:" + request.Client.Id, request.Address), ct);
        LogReuse(logger, request.Client.Id, grant.Id);
        return Invalid("used before");
    }

    private static Entitlement Entitle(
        TokenRequest request, Grant grant, IReadOnlyList<string> scopes, string refreshToken, DateTimeOffset now) => new()
        {
            Client = request.Client,
            Subject = grant.Subject,
            Scopes = scopes,
            Grant = grant,
            IssuedAt = now,
            AccessHandle = TokenIssuer.NewAccessHandle(request.Client),
            RefreshToken = refreshToken,
        };

    private static AuditEvent Audit(TokenRequest request, Grant grant, DateTimeOffset now, string? detail) =>
        new(AuditTypes.Refreshed, now)
        {
            Actor = "client:" + request.Client.Id,
            ClientId = request.Client.Id,
            Subject = grant.Subject,
            SessionId = grant.SessionId,
            GrantId = grant.Id,
            Address = request.Address,
            Detail = detail,
        };

    private static Result<IReadOnlyList<string>> Narrow(Grant grant, string? requested)
    {
        if (requested is null)
        {
            return new(grant.Scopes);
        }

        var scopes = requested.Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal).ToArray();
        return scopes.All(scope => grant.Scopes.Contains(scope, StringComparer.Ordinal))
            ? new Result<IReadOnlyList<string>>(scopes)
            : ProtocolError.InvalidScope("The request asks for more than was granted.");
    }

    private static ProtocolError Invalid(string detail) =>
        ProtocolError.InvalidGrant("The refresh token is not valid.", detail);

    [LoggerMessage(2101, LogLevel.Warning, "A refresh token of client {ClientId} was presented twice; grant {GrantId} ended.")]
    private static partial void LogReuse(ILogger logger, string clientId, string grantId);
}
