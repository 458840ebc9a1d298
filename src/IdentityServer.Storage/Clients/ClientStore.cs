using System.Collections.Frozen;
using System.Data;
using System.Data.Common;
using System.Text.Json;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Clients;
using IdentityServer.Storage.Deeds;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Clients;

internal sealed class ClientStore(IStatements statements, IDeeds deeds) : IClientStore
{
    private const string Select = """
        SELECT "Id", "Type", "Name", "AuthMethod", "Secrets", "Jwks", "GrantTypes", "Scopes", "RedirectUris", "PostLogoutRedirectUris",
        "AllowedOrigins", "TokenFormat", "AccessTokenLifetime", "RefreshIdleLifetime", "RefreshAbsoluteLifetime", "RequireConsent",
        "IdTokenSigningAlgorithm", "UserInfoSigningAlgorithm", "ClientUri", "LogoUri", "PolicyUri", "TosUri", "CreatedAt", "DisabledAt",
        "Version", "KeyCacheLifetime", "RequireReadiness", "MinimumAcr", "DefaultMaxAge",
        "BackChannelLogoutUri", "FrontChannelLogoutUri" FROM "Clients"
        """;

    private static readonly Statement ById = new($"{Select} WHERE \"Id\" = @Id", ("Id", DbType.AnsiString));
    private static readonly Statement All = new($"{Select} ORDER BY \"Id\"");

    private static readonly Statement LongestJwt = new(
        """SELECT MAX("AccessTokenLifetime") FROM "Clients" WHERE "TokenFormat" = 'Jwt'""");

    private static readonly Statement JwtOf = new(
        """SELECT MAX("AccessTokenLifetime") FROM "Clients" WHERE "TokenFormat" = 'Jwt' AND "Id" = @Id""", ("Id", DbType.AnsiString));

    public async ValueTask<TimeSpan?> LongestJwtLifetimeAsync(string? clientId, CancellationToken ct) =>
        clientId is null ? (await statements.ListAsync(LongestJwt, [], reader => reader.DurationOrNull(0), ct))[0]
        : Identifiers.IsPossible(clientId) ? (await statements.ListAsync(JwtOf, [clientId], reader => reader.DurationOrNull(0), ct))[0]
        : null;

    public async ValueTask<Client?> FindAsync(string clientId, CancellationToken ct) =>
        Identifiers.IsPossible(clientId) ? await statements.FirstAsync(ById, [clientId], Read, ct) : null;

    public ValueTask<IReadOnlyList<Client>> ListAsync(CancellationToken ct) => statements.ListAsync(All, [], Read, ct);

    public async ValueTask<bool> AddAsync(Client client, AuditEvent audit, CancellationToken ct)
    {
        Identifiers.Require(client.Id);
        try
        {
            return await deeds.RunAsync(
                async (db, ct) =>
                {
                    db.Clients.Add(client);
                    db.Announce(ChangeKind.Client, client.Id, audit.At);
                    db.Record(audit);
                    await db.SaveChangesAsync(ct);
                    return true;
                },
                ct);
        }
        catch (DbUpdateException error) when (UniqueViolation.Is(error))
        {
            return false;
        }
    }

    public async ValueTask<bool> UpdateAsync(Client client, AuditEvent audit, CancellationToken ct)
    {
        try
        {
            return await deeds.RunAsync(
                async (db, ct) =>
                {
                    // The version as read is the one the row must still have; the one stored is the next.
                    var entry = db.Clients.Update(client with { Version = client.Version + 1 });
                    entry.Property(row => row.Version).OriginalValue = client.Version;
                    entry.Property(row => row.CreatedAt).IsModified = false;
                    db.Announce(ChangeKind.Client, client.Id, audit.At);
                    db.Record(audit);
                    await db.SaveChangesAsync(ct);
                    return true;
                },
                ct);
        }
        catch (DbUpdateConcurrencyException)
        {
            return false;
        }
    }

    private static Client Read(DbDataReader reader) => new()
    {
        Id = reader.GetString(0),
        Type = Enum.Parse<ClientType>(reader.GetString(1)),
        Name = reader.GetString(2),
        AuthMethod = reader.GetString(3),
        Secrets = JsonSerializer.Deserialize(reader.GetString(4), StorageJson.Plain.IReadOnlyListClientSecret)!,
        Jwks = reader.TextOrNull(5),
        GrantTypes = reader.List(6).ToFrozenSet(StringComparer.Ordinal),
        Scopes = reader.List(7).ToFrozenSet(StringComparer.Ordinal),
        RedirectUris = reader.List(8),
        PostLogoutRedirectUris = reader.List(9),
        AllowedOrigins = reader.List(10),
        TokenFormat = Enum.Parse<TokenFormat>(reader.GetString(11)),
        AccessTokenLifetime = reader.Duration(12),
        RefreshIdleLifetime = reader.Duration(13),
        RefreshAbsoluteLifetime = reader.Duration(14),
        RequireConsent = reader.GetBoolean(15),
        IdTokenSigningAlgorithm = reader.GetString(16),
        UserInfoSigningAlgorithm = reader.TextOrNull(17),
        ClientUri = reader.TextOrNull(18),
        LogoUri = reader.TextOrNull(19),
        PolicyUri = reader.TextOrNull(20),
        TosUri = reader.TextOrNull(21),
        CreatedAt = reader.Instant(22),
        DisabledAt = reader.InstantOrNull(23),
        Version = reader.GetInt32(24),
        KeyCacheLifetime = reader.DurationOrNull(25),
        RequireReadiness = reader.GetBoolean(26),
        MinimumAcr = reader.TextOrNull(27),
        DefaultMaxAge = reader.DurationOrNull(28),
        BackChannelLogoutUri = reader.TextOrNull(29),
        FrontChannelLogoutUri = reader.TextOrNull(30),
    };
}
