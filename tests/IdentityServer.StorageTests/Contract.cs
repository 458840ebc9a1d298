using System.Security.Cryptography;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.StorageTests;

/// <summary>
/// What one port promises. Every test takes the database as its parameter and is run on each; the statements the SQL Server provider
/// makes of it are also checked without a SQL Server (<see cref="SqlServer.StatementTests"/>).
/// </summary>
public abstract class Contract
{
    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected static async Task<Session> SignInAsync(TestStorage storage)
    {
        var session = Samples.Session();
        await storage.Get<ISessionStore>().OpenAsync(session, Handle.Create().Hash, Samples.Audit(), Ct);
        return session;
    }

    /// <summary>A session, a grant in it, and the grant's first refresh token as storage finds it.</summary>
    protected static async Task<TokenRecord> RefreshTokenAsync(TestStorage storage, bool offline = false)
    {
        var session = await SignInAsync(storage);
        return await RefreshTokenAsync(storage, Samples.Grant(session, offline: offline));
    }

    protected static async Task<TokenRecord> RefreshTokenAsync(TestStorage storage, Grant grant)
    {
        var grants = storage.Get<IGrantStore>();
        var code = Samples.Token(grant, TokenKind.Code);
        var token = Samples.Token(grant);
        await grants.OpenAsync(grant, code, Samples.Audit(), Ct);
        await grants.SpendAsync(code, [token], null, Samples.Now, Samples.Audit(), Ct);
        return (await grants.FindTokenAsync(TokenKind.Refresh, token.Hash, Ct))!;
    }

    protected static async Task<int> CountAsync<T>(TestStorage storage)
        where T : class
    {
        await using var db = await storage.Get<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct);
        return await db.Set<T>().CountAsync(Ct);
    }

    protected static async Task<IReadOnlyList<string>> AuditTypesAsync(TestStorage storage) =>
        [.. (await storage.Get<IAuditLog>().LatestAsync(1000, Ct)).Select(audit => audit.Type)];

    /// <summary>Lets go of all of them at the same moment and waits for all.</summary>
    protected static async Task<T[]> AtOnceAsync<T>(int count, Func<int, Task<T>> one)
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var runs = Enumerable.Range(0, count).Select(async index =>
        {
            await gate.Task;
            return await one(index);
        }).ToArray();
        gate.SetResult();
        return await Task.WhenAll(runs);
    }

    /// <summary>The same letters with the case of each turned over: another identifier.</summary>
    protected static string Turned(string id) =>
        string.Concat(id.Select(letter => char.IsUpper(letter) ? char.ToLowerInvariant(letter) : char.ToUpperInvariant(letter)));

    protected static int Any(int below) => RandomNumberGenerator.GetInt32(below);
}
