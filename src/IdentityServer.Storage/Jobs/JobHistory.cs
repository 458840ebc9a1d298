using System.Data;
using System.Data.Common;
using IdentityServer.Storage.Deeds;

namespace IdentityServer.Storage.Jobs;

/// <remarks>Written by hand: a job that runs every minute must not wake EF Core on a server that has nothing else to do.</remarks>
internal sealed class JobHistory(IStatements statements, IDeeds deeds) : IJobHistory
{
    private const string Row = "\"Job\", \"Node\", \"StartedAt\", \"EndedAt\", \"Outcome\", \"Detail\"";

    private static readonly Statement Add = Statement.Insert(
        "JobRuns",
        condition: null,
        ("Job", DbType.AnsiString),
        ("Node", DbType.String),
        ("StartedAt", DbType.Int64),
        ("EndedAt", DbType.Int64),
        ("Outcome", DbType.Int32),
        ("Detail", DbType.String));

    private static readonly Statement Latest = Last("", ("Count", DbType.Int32));

    private static readonly Statement LatestOfJob =
        Last("""WHERE "Job" = @Job""", ("Job", DbType.AnsiString), ("Count", DbType.Int32));

    private static readonly Statement LatestSuccess = Last(
        """WHERE "Job" = @Job AND "Outcome" <> @Failed""",
        ("Job", DbType.AnsiString),
        ("Failed", DbType.Int32),
        ("Count", DbType.Int32));

    public async ValueTask RecordAsync(JobRun run, CancellationToken ct) => await deeds.ExecuteAsync(
        Add,
        [
            run.Job, BoundedText.Cut(run.Node, JobRunMapping.NodeLength), Columns.Of(run.StartedAt),
            Columns.Of(run.EndedAt), (int)run.Outcome, BoundedText.Cut(run.Detail, JobRunMapping.DetailLength),
        ],
        ct);

    public ValueTask<IReadOnlyList<JobRun>> LatestAsync(string? job, int count, CancellationToken ct) => job switch
    {
        null => statements.ListAsync(Latest, [count], Read, ct),
        _ when Identifiers.IsPossible(job, Identifiers.IdLength) => statements.ListAsync(LatestOfJob, [job, count], Read, ct),
        _ => new([]),
    };

    public ValueTask<JobRun?> LatestSuccessAsync(string job, CancellationToken ct) =>
        statements.FirstAsync(LatestSuccess, [job, (int)JobOutcome.Failed, 1], Read, ct);

    private static Statement Last(string condition, params (string Name, DbType Type)[] parameters)
    {
        var rest = $"""{Row} FROM "JobRuns" {condition} ORDER BY "StartedAt" DESC, "Id" DESC""";
        return new($"SELECT {rest} LIMIT @Count", $"SELECT TOP (@Count) {rest}", parameters);
    }

    private static JobRun Read(DbDataReader reader) => new(
        reader.GetString(0),
        reader.GetString(1),
        reader.Instant(2),
        reader.Instant(3),
        (JobOutcome)reader.GetInt32(4),
        reader.TextOrNull(5));
}
