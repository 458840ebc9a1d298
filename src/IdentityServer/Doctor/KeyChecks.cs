using System.Globalization;
using IdentityServer.Commands;
using IdentityServer.Keys;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Keys;
using IdentityServer.Storage.DataProtection;

namespace IdentityServer.Doctor;

/// <summary>The signing keys and the Data Protection ring in the database, and whether this machine's clock fits what is written there.</summary>
internal sealed class KeyChecks(CommandSession session, MasterKeyProtector? protector)
{
    private const string Signing = "signing-keys";
    private const string SignsNow = "signing-now";
    private const string Ring = "data-protection";
    private const string Clock = "clock";
    private const int Newest = 100;

    private static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(1);

    public static IReadOnlyList<string> Names { get; } = [Signing, SignsNow, Ring, Clock];

    public async Task<IReadOnlyList<Finding>> RunAsync(CancellationToken ct)
    {
        var rows = await session.Get<IKeyStore>().LoadAsync(ct);
        var ring = await session.Get<IDataProtectionKeys>().ListAsync(ct);
        var keys = await session.Get<SealedKeys>().ExamineAsync(protector, ct);
        var audit = await session.Get<IAuditLog>().LatestAsync(Newest, ct);
        return
        [
            LookAtSigningKeys([.. keys.Where(key => key.Kind == SealedKeyKind.Signing)]),
            LookAtWhatSignsNow(rows),
            LookAtRing(ring, [.. keys.Where(key => key.Kind == SealedKeyKind.DataProtection)]),
            LookAtClock([.. rows.Keys.Select(key => key.CreatedAt), .. audit.Select(entry => entry.At)]),
        ];
    }

    private Finding LookAtSigningKeys(SealedKey[] keys)
    {
        var closed = keys.Where(key => !key.IsOpen).ToArray();
        var needed = closed.Where(key => key.IsNeeded).ToArray();
        if (needed.Length > 0)
        {
            return Finding.Fail(Signing, Listed(needed), MasterKeyLoader.Advice(needed));
        }

        if (closed.Length > 0)
        {
            return Finding.Warn(Signing, $"Revoked, so nothing depends on them: {Listed(closed)}", MasterKeyLoader.Advice(closed));
        }

        var old = keys.Count(key => key.MasterKeyId != protector?.MasterKeyId);
        return old > 0
            ? Finding.Warn(Signing, $"{keys.Length} open; {old} of them under a previous master key.", "Once every node seals with the new one, run: identityserver keys master-key rotate")
            : Finding.Ok(Signing, keys.Length == 0 ? "There are none yet." : $"{keys.Length} open, and each public half is its own.");
    }

    private Finding LookAtWhatSignsNow(KeyRows rows)
    {
        var policy = session.Settings.Keys.ToPolicy();
        var missing = KeyFactory.Algorithms.Where(algorithm => rows.PlanOf(algorithm) is null).ToArray();
        var silent = KeyFactory.Algorithms.Except(missing, StringComparer.Ordinal)
            .Where(algorithm => rows.TimelineOf(algorithm, policy).SigningAt(session.Now) is null)
            .ToArray();
        return silent.Length > 0
            ? Finding.Fail(SignsNow, $"No key signs for {string.Join(", ", silent)}.", "See: identityserver keys list")
            : missing.Length > 0
                ? Finding.Warn(SignsNow, $"There is no key yet for {string.Join(", ", missing)}.", "Start a server: it makes the first key of each algorithm.")
                : Finding.Ok(SignsNow, $"A key signs for each of {string.Join(", ", KeyFactory.Algorithms)}.");
    }

    private Finding LookAtRing(IReadOnlyList<DataProtectionKey> rows, SealedKey[] keys)
    {
        var closed = keys.Where(key => !key.IsOpen).ToArray();
        if (closed.Length > 0)
        {
            return Finding.Fail(Ring, Listed(closed), MasterKeyLoader.Advice(closed));
        }

        var ends = rows.Select(EndOf).OfType<DateTimeOffset>().ToArray();
        if (!ends.Any(end => end > session.Now))
        {
            return Finding.Warn(
                Ring, ends.Length == 0 ? "There is no key yet." : "Every key has expired.", "Start a server: it makes the next key by itself.");
        }

        var old = keys.Count(key => key.MasterKeyId != protector?.MasterKeyId);
        return old > 0
            ? Finding.Warn(Ring, $"{keys.Length} key(s) open; {old} of them under a previous master key.", "Once every node seals with the new one, run: identityserver keys master-key rotate")
            : Finding.Ok(Ring, $"{keys.Length} key(s) open, the newest good until {MasterKeySource.Shown(ends.Max())}.");
    }

    private Finding LookAtClock(DateTimeOffset[] written)
    {
        var ahead = written.Length == 0 ? TimeSpan.Zero : written.Max() - session.Now;
        return ahead > ClockTolerance
            ? Finding.Warn(
                Clock,
                $"The newest row is of {MasterKeySource.Shown(written.Max())}, {ahead.TotalMinutes:0} minute(s) ahead of this machine's clock.",
                "Have the clocks of all nodes follow the same time servers (NTP): what a key does when is read off them.")
            : Finding.Ok(Clock, "No row is from the future.");
    }

    private static DateTimeOffset? EndOf(DataProtectionKey row) =>
        DataProtectionRing.TryParse(row, out var element)
        && element.Element("expirationDate") is { } end
        && DateTimeOffset.TryParse(end.Value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            ? at
            : null;

    private static string Listed(IEnumerable<SealedKey> keys) => $"Does not open: {string.Join("; ", SealedKeys.Lines(keys))}.";
}
