using System.Collections.Concurrent;
using System.Data;
using IdentityServer.Storage.Deeds;

namespace IdentityServer.Storage.Cleanup;

/// <remarks>
/// Each rule walks along the index of one instant, over the next <see cref="BatchSize"/> rows, and deletes what lies in that range, so many
/// at a time: what ended together has one instant. So a run costs what it deletes, however many rows stay.
/// </remarks>
internal sealed class ExpiredRows(IStatements statements, IDeeds deeds, TimeProvider clock) : IExpiredRows
{
    internal const int BatchSize = 250;

    // Clocks of nodes differ a little, and the one who deletes may be ahead; a code or token replayed soon after its end is still known.
    private static readonly TimeSpan Margin = TimeSpan.FromHours(1);

    // For the admins to look at. Longer than any access token lives (12 h).
    private static readonly TimeSpan Remembered = TimeSpan.FromDays(30);

    private static readonly Rule[] Rules =
    [
        // Codes, refresh and reference tokens. ExpiresAt is when the token is refused for its age, spent or not. A spent refresh token
        // stays until then, because presenting it again has to end its grant; a spent code likewise. Afterwards it buys nothing for
        // anyone, and the grace window (2 min at most) is long over. Tokens of an ended grant are dead and go when their time comes.
        new("Tokens", "ExpiresAt", Margin, "\"Hash\""),

        // Nobody came back to answer.
        new("PendingRequests", "ExpiresAt", Margin, "\"Hash\""),

        // From then on the assertion is refused for its age.
        new("UsedValues", "ExpiresAt", Margin, "\"Hash\""),

        // From then on nothing that carries the key is alive; a cutoff is also what keeps dead those rows it has not marked yet.
        new("Revocations", "ExpiresAt", Margin, "\"Kind\", \"Key\"", condition: "(\"Epoch\" = 0 OR \"MarkedAt\" IS NOT NULL)"),

        // A server that stopped without saying so.
        new("Nodes", "SeenAt", Margin),

        // Looked up as long as the audit log is likely to be asked about it. What was never told of stays until it is.
        new("Receipts", "At", TimeSpan.FromDays(400), condition: "\"NotifiedAt\" IS NOT NULL"),
        new("LogoutNotices", "CreatedAt", Remembered, condition: "\"NextAttemptAt\" IS NULL"),

        // From then on nothing that the key signed for the client is alive.
        new("KeyUses", "Until", Margin, "\"Kid\", \"ClientId\", \"Until\""),

        // A sign-in or ceremony that nobody went on with, a device that was not seen again, a count that is forgotten.
        new("PartialSignIns", "ExpiresAt", Margin, "\"Hash\""),
        new("Ceremonies", "ExpiresAt", Margin, "\"Hash\""),
        new("Devices", "ExpiresAt", Margin),
        new("Attempts", "ExpiresAt", Margin, "\"Key\""),

        // Past its end, used or not; a while longer, so that whoever follows it late reads why it does not work.
        new("MailLinks", "ExpiresAt", TimeSpan.FromDays(7), "\"Hash\""),

        // Given up, with what it said: tried for three days, and kept for seven more so that it can be tried again.
        new("OutboxMails", "CreatedAt", TimeSpan.FromDays(10), condition: "\"DeadAt\" IS NOT NULL"),

        // Sent, without what it said; what still waits stays.
        new("OutboxMails", "CreatedAt", Remembered, condition: "\"NextAttemptAt\" IS NULL"),

        new("Places", "LastSeenAt", TimeSpan.FromDays(400), "\"Subject\", \"Network\""),

        // Used or not: a link lives for half an hour.
        new("SetupLinks", "ExpiresAt", Margin, "\"Hash\""),

        // An expired grant: no refresh token outlives it, and an access token lives for 12 h at most.
        new("Grants", "ExpiresAt", Remembered),

        // A grant that was ended: all its tokens died at that moment.
        new("Grants", "EndedAt", Remembered),

        // A session goes after the last grant given in it: a grant reads its own end off its session too, so without the session an
        // ended offline grant would come to life, and a grant that is not offline would end. Many sessions wait for a long-lived
        // offline grant, so only some are looked at in a run, and the next run goes on where this one stopped.
        new(
            "Sessions",
            "ExpiresAt",
            Remembered,
            batches: 40,
            condition: """NOT EXISTS (SELECT 1 FROM "Grants" WHERE "Grants"."SessionId" = "Sessions"."Id")"""),

        // Nodes read the log every half second and reach back ten; one that slept for longer loads everything anew (ChangeFeed).
        new("Changes", "At", TimeSpan.FromDays(1), "\"Sequence\""),

        new("JobRuns", "StartedAt", TimeSpan.FromDays(30)),
    ];

    private readonly ConcurrentDictionary<Rule, long> _stoppedAt = new();

    public async ValueTask<IReadOnlyDictionary<string, int>> DeleteAsync(DateTimeOffset now, CancellationToken ct)
    {
        var deleted = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var rule in Rules)
        {
            var rows = await DeleteAsync(rule, now, ct);
            if (rows > 0)
            {
                deleted[rule.Table] = deleted.GetValueOrDefault(rule.Table) + rows;
            }
        }

        return deleted;
    }

    private async ValueTask<int> DeleteAsync(Rule rule, DateTimeOffset now, CancellationToken ct)
    {
        var before = Columns.Of(now - rule.Keep);
        var after = _stoppedAt.GetValueOrDefault(rule, long.MinValue);
        var deleted = 0;
        for (var batch = 0; batch < rule.Batches; batch++)
        {
            var page = await statements.ListAsync(rule.Page, [after, before], reader => reader.GetInt64(0), ct);
            var (from, rows) = (after, page.Count > 0 ? BatchSize : 0);
            while (rows == BatchSize)
            {
                rows = await Pacing.BatchAsync(clock, () => deeds.ExecuteAsync(rule.Delete, [from, page[^1]], ct), ct);
                deleted += rows;
            }

            if (page.Count < BatchSize)
            {
                // The end: the next run begins anew.
                _stoppedAt.TryRemove(rule, out _);
                return deleted;
            }

            after = page[^1];
        }

        _stoppedAt[rule] = after;
        return deleted;
    }

    /// <summary>Rows whose instant is past by so much go, if the condition holds.</summary>
    private sealed class Rule
    {
        public Rule(string table, string column, TimeSpan keep, string key = "\"Id\"", int batches = 2000, string? condition = null)
        {
            (Table, Keep, Batches) = (table, keep, batches);
            var page = $"""
                "{column}" FROM "{table}" WHERE "{column}" > @After AND "{column}" <= @Before ORDER BY "{column}"
                """;
            Page = new(
                $"SELECT {page} LIMIT {BatchSize}",
                $"SELECT TOP ({BatchSize}) {page}",
                ("After", DbType.Int64),
                ("Before", DbType.Int64));
            var over = $""" "{column}" > @After AND "{column}" <= @Last {(condition is null ? "" : $"AND {condition}")} """;
            Delete = new(
                $"""DELETE FROM "{table}" WHERE ({key}) IN (SELECT {key} FROM "{table}" WHERE {over} LIMIT {BatchSize})""",
                $"""DELETE TOP ({BatchSize}) FROM "{table}" WHERE {over}""",
                ("After", DbType.Int64),
                ("Last", DbType.Int64));
        }

        public string Table { get; }

        public TimeSpan Keep { get; }

        /// <summary>The most that one run deletes: it shall not run for ever, either.</summary>
        public int Batches { get; }

        public Statement Page { get; }

        public Statement Delete { get; }
    }
}
