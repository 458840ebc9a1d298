using System.Data;
using IdentityServer.Storage.Deeds;

namespace IdentityServer.Storage.Factors;

/// <summary>What a person has beside a password.</summary>
/// <param name="HasAuthenticator">An authenticator app.</param>
/// <param name="HasPasskey">A passkey.</param>
/// <param name="RecoveryCodes">How many recovery codes are left.</param>
public sealed record OwnedFactors(bool HasAuthenticator, bool HasPasskey, int RecoveryCodes)
{
    /// <summary>A second factor that signing in asks for. Recovery codes only stand in for one.</summary>
    public bool HasAny => HasAuthenticator || HasPasskey;
}

/// <summary>Reads what a person has, in one question.</summary>
public interface IFactors
{
    ValueTask<OwnedFactors> FindAsync(string subject, CancellationToken ct);
}

internal sealed class FactorStore(IStatements statements) : IFactors
{
    private static readonly Statement Owned = new(
        """
        SELECT (SELECT COUNT(*) FROM "Authenticators" WHERE "Subject" = @Subject),
        (SELECT COUNT(*) FROM "Passkeys" WHERE "Subject" = @Subject),
        (SELECT COUNT(*) FROM "RecoveryCodes" WHERE "Subject" = @Subject AND "UsedAt" IS NULL)
        """,
        ("Subject", DbType.AnsiString));

    public async ValueTask<OwnedFactors> FindAsync(string subject, CancellationToken ct) => (await statements.FirstAsync(
        Owned,
        [subject],
        reader => new OwnedFactors(
            Convert.ToInt64(reader.GetValue(0), null) > 0,
            Convert.ToInt64(reader.GetValue(1), null) > 0,
            Convert.ToInt32(reader.GetValue(2), null)),
        ct))!;
}
