using System.Data.Common;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Grants;
using IdentityServer.Storage.Audit;
using IdentityServer.Storage.Deeds;

namespace IdentityServer.Storage.Grants;

internal sealed class GrantStore(IStatements statements, IDeeds deeds) : IGrantStore
{
    public async ValueTask<bool> OpenAsync(Grant grant, TokenRecord code, AuditEvent audit, CancellationToken ct) =>
        await deeds.DecideAsync(
            GrantStatements.Open,
            [.. GrantStatements.Values(grant), .. GrantStatements.Values(code), .. AuditStatements.Values(audit)],
            ct);

    public ValueTask<TokenRecord?> FindTokenAsync(TokenKind kind, string hash, CancellationToken ct) =>
        statements.FirstAsync(
            GrantStatements.FindToken, [hash, (int)kind], reader => ReadToken(reader, kind, hash), ct);

    public async ValueTask<bool> SpendAsync(
        TokenRecord token,
        IReadOnlyList<TokenRecord> successors,
        byte[]? sealedSuccessor,
        DateTimeOffset now,
        AuditEvent audit,
        CancellationToken ct)
    {
        // One statement decides who is first; what takes the token's place follows in the same transaction.
        var successorHash = successors.FirstOrDefault(successor => successor.Kind == TokenKind.Refresh)?.Hash;
        return await deeds.DecideAsync(
            GrantStatements.Spend(successors.Count),
            [
                Columns.Of(now), successorHash, sealedSuccessor, token.Hash, (int)token.Kind, true,
                .. successors.SelectMany(GrantStatements.Values),
                .. AuditStatements.Values(audit),
            ],
            ct);
    }

    public async ValueTask<bool> AddTokenAsync(TokenRecord token, AuditEvent audit, CancellationToken ct) =>
        token.Grant is null
            ? await deeds.DecideAsync(
                GrantStatements.AddFree, [.. GrantStatements.Values(token), .. AuditStatements.Values(audit)], ct)
            : await deeds.DecideAsync(
                GrantStatements.AddUnderGrant,
                [.. GrantStatements.Values(token), true, .. AuditStatements.Values(audit)],
                ct);

    public async ValueTask<Grant?> FindAsync(string grantId, CancellationToken ct) =>
        Identifiers.IsPossible(grantId, Identifiers.IdLength)
            ? await statements.FirstAsync(
                GrantStatements.FindGrant, [grantId], reader => GrantStatements.ReadGrant(reader, 0), ct)
            : null;

    private static TokenRecord? ReadToken(DbDataReader reader, TokenKind kind, string hash)
    {
        const int GrantId = 1;
        const int FirstOfGrant = 9;
        if (!reader.IsDBNull(GrantId) && reader.IsDBNull(FirstOfGrant))
        {
            return null; // its grant is gone, so it is dead: it is as if it had never been
        }

        return new TokenRecord
        {
            Hash = hash,
            Kind = kind,
            ClientId = reader.GetString(0),
            Grant = reader.IsDBNull(GrantId) ? null : GrantStatements.ReadGrant(reader, FirstOfGrant),
            IssuedAt = reader.Instant(2),
            ExpiresAt = reader.Instant(3),
            Payload = reader.TextOrNull(4),
            SpentAt = reader.InstantOrNull(5),
            EndedAt = reader.InstantOrNull(6),
            SuccessorHash = reader.TextOrNull(7),
            SealedSuccessor = reader.BytesOrNull(8),
        };
    }
}
