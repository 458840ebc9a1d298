using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Deeds;

/// <summary>
/// SQLite has one writer at a time, and a durable commit costs a flush of the disk. This writer takes the deeds that wait at a
/// moment, runs each under a savepoint of its own in one transaction, commits once, and only then answers them all. Reads go their
/// own way (WAL). Other processes may write too: the transaction begins <c>IMMEDIATE</c> and waits its turn.
/// </summary>
internal sealed class SqliteWriter(Func<SqliteConnection, ServerDb> open, string connectionString) : IDeeds, IDisposable
{
    // Bounds how long the first of a group waits for the last.
    private const int LargestGroup = 128;

    private static readonly Statement Savepoint = new("SAVEPOINT deed");
    private static readonly Statement RollBack = new("ROLLBACK TO deed");
    private static readonly Statement Release = new("RELEASE deed");

    private readonly Func<SqliteConnection, ServerDb> _open = open;
    private readonly BlockingCollection<Job> _waiting = [];
    private readonly Lock _starting = new();
    private Thread? _thread;
    private SqliteLane? _lane;
    private ServerDb? _db;

    public Task<T> RunAsync<T>(Func<ServerDb, CancellationToken, Task<T>> deed, CancellationToken ct) =>
        WaitAsync(new ContextJob<T>(deed, ct), ct);

    public Task<bool> DecideAsync(ConditionalDeed deed, object?[] values, CancellationToken ct) =>
        WaitAsync(new ConditionalJob(deed, values, ct), ct);

    public Task<int> ExecuteAsync(Statement statement, object?[] values, CancellationToken ct) =>
        WaitAsync(new StatementJob(statement, values, ct), ct);

    /// <summary>Finishes what waits, then closes.</summary>
    public void Dispose()
    {
        _waiting.CompleteAdding();
        lock (_starting)
        {
            _thread?.Join();
        }

        _waiting.Dispose();
    }

    private Task<T> WaitAsync<T>(Job<T> job, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        Start();
        _waiting.Add(job, ct);
        return job.Answer.WaitAsync(ct);
    }

    // A thread of its own: a flush blocks, and the thread pool has few threads to spare.
    private void Start()
    {
        if (_thread is not null)
        {
            return;
        }

        lock (_starting)
        {
            if (_thread is null)
            {
                var thread = new Thread(Work) { IsBackground = true, Name = "SQLite writer" };
                thread.Start();
                _thread = thread;
            }
        }
    }

    private void Work()
    {
        var group = new List<Job>(LargestGroup);
        foreach (var first in _waiting.GetConsumingEnumerable())
        {
            group.Add(first);
            while (group.Count < LargestGroup && _waiting.TryTake(out var next))
            {
                group.Add(next);
            }

            Do(group);
            group.Clear();
        }

        Close();
    }

    private void Do(List<Job> group)
    {
        try
        {
            _lane ??= new SqliteLane(connectionString);
            using var transaction = _lane.Connection.BeginTransaction(deferred: false);
            foreach (var job in group)
            {
                Do(job, _lane, transaction);
            }

            transaction.Commit();
        }
        catch (Exception error) // whatever went wrong, everyone in the group must hear of it, and the next group starts afresh
        {
            Close();
            group.ForEach(job => job.Fail(error));
            return;
        }

        group.ForEach(job => job.Complete());
    }

    private void Do(Job job, SqliteLane lane, SqliteTransaction transaction)
    {
        if (job.IsCancelled)
        {
            return;
        }

        Execute(Savepoint);
        try
        {
            job.Run(this, lane, transaction);
        }
        catch (Exception error) // the deed's own failure: it is undone and told alone
        {
            Execute(RollBack);
            job.Fail(error);
            _db?.Dispose();
            _db = null;
        }

        Execute(Release);

        void Execute(Statement statement) => lane.Command(statement, [], transaction).ExecuteNonQuery();
    }

    private void Close()
    {
        _db?.Dispose();
        _lane?.Dispose();
        (_db, _lane) = (null, null);
    }

    private abstract class Job(CancellationToken ct)
    {
        public bool IsCancelled => ct.IsCancellationRequested;

        public abstract void Run(SqliteWriter writer, SqliteLane lane, SqliteTransaction transaction);

        public abstract void Complete();

        public abstract void Fail(Exception error);
    }

    private abstract class Job<T>(CancellationToken ct) : Job(ct)
    {
        private readonly TaskCompletionSource<T> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T? _answer;
        private bool _done;

        public Task<T> Answer => _source.Task;

        public override void Run(SqliteWriter writer, SqliteLane lane, SqliteTransaction transaction)
        {
            _answer = Do(writer, lane, transaction);
            _done = true;
        }

        public override void Complete()
        {
            if (_done)
            {
                _source.TrySetResult(_answer!);
            }
            else
            {
                _source.TrySetCanceled(CancellationToken.None);
            }
        }

        public override void Fail(Exception error) => _source.TrySetException(error);

        protected abstract T Do(SqliteWriter writer, SqliteLane lane, SqliteTransaction transaction);
    }

    private sealed class ContextJob<T>(Func<ServerDb, CancellationToken, Task<T>> deed, CancellationToken ct) : Job<T>(ct)
    {
        protected override T Do(SqliteWriter writer, SqliteLane lane, SqliteTransaction transaction)
        {
            var db = writer._db ??= writer._open(lane.Connection);
            db.Database.UseTransaction(transaction);

            // SQLite's driver has no asynchronous work: the task is complete when it comes back.
            var answer = deed(db, CancellationToken.None).GetAwaiter().GetResult();
            db.Database.UseTransaction(null);
            db.ChangeTracker.Clear();
            return answer;
        }
    }

    private sealed class ConditionalJob(ConditionalDeed deed, object?[] values, CancellationToken ct) : Job<bool>(ct)
    {
        protected override bool Do(SqliteWriter writer, SqliteLane lane, SqliteTransaction transaction)
        {
            var next = deed.Decide.Parameters.Count;
            if (lane.Command(deed.Decide, values.AsSpan(0, next), transaction).ExecuteNonQuery() == 0)
            {
                return false;
            }

            foreach (var insert in deed.Inserts)
            {
                lane.Command(insert, values.AsSpan(next, insert.Parameters.Count), transaction).ExecuteNonQuery();
                next += insert.Parameters.Count;
            }

            return true;
        }
    }

    private sealed class StatementJob(Statement statement, object?[] values, CancellationToken ct) : Job<int>(ct)
    {
        protected override int Do(SqliteWriter writer, SqliteLane lane, SqliteTransaction transaction) =>
            lane.Command(statement, values, transaction).ExecuteNonQuery();
    }
}
