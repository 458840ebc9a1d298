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

    private readonly BlockingCollection<Job> _waiting = [];
    private readonly Lock _starting = new();
    private Thread? _thread;
    private SqliteConnection? _connection;
    private ServerDb? _db;

    public async Task<T> RunAsync<T>(Func<ServerDb, CancellationToken, Task<T>> deed, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        Start();
        var job = new Job<T>(deed, ct);
        _waiting.Add(job, ct);
        return await job.Answer.WaitAsync(ct);
    }

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
            var connection = Connect();
            using var transaction = connection.BeginTransaction(deferred: false);
            foreach (var job in group)
            {
                Do(job, connection, transaction);
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

    private void Do(Job job, SqliteConnection connection, SqliteTransaction transaction)
    {
        if (job.IsCancelled)
        {
            return;
        }

        var db = _db ??= open(connection);
        transaction.Save("deed");
        try
        {
            db.Database.UseTransaction(transaction);
            job.Run(db);
            db.Database.UseTransaction(null);
            db.ChangeTracker.Clear();
        }
        catch (Exception error) // the deed's own failure: it is undone and told alone
        {
            transaction.Rollback("deed");
            job.Fail(error);
            _db.Dispose();
            _db = null;
        }

        transaction.Release("deed");
    }

    private SqliteConnection Connect()
    {
        if (_connection is null)
        {
            var connection = new SqliteConnection(connectionString);
            connection.Open();
            SqliteSettings.Apply(connection);
            _connection = connection;
        }

        return _connection;
    }

    private void Close()
    {
        _db?.Dispose();
        _connection?.Dispose();
        (_db, _connection) = (null, null);
    }

    private abstract class Job(CancellationToken ct)
    {
        public bool IsCancelled => ct.IsCancellationRequested;

        public abstract void Run(ServerDb db);

        public abstract void Complete();

        public abstract void Fail(Exception error);
    }

    private sealed class Job<T>(Func<ServerDb, CancellationToken, Task<T>> deed, CancellationToken ct) : Job(ct)
    {
        private readonly TaskCompletionSource<T> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T? _answer;
        private bool _done;

        public Task<T> Answer => _source.Task;

        // SQLite's driver has no asynchronous work: the task is complete when it comes back.
        public override void Run(ServerDb db)
        {
            _answer = deed(db, CancellationToken.None).GetAwaiter().GetResult();
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
    }
}
