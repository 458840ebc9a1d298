using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using IdentityServer.Protocol.RevocationFeed;
using IdentityServer.Protocol.Revocations;

namespace IdentityServer.UnitTests.RevocationFeed;

/// <summary>What stands on the wire, and what happens to who does not read it.</summary>
public sealed class EventWriterTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeMilliseconds(1_800_000_000_000);

    [Fact]
    public async Task Each_event_has_its_name_its_cursor_and_its_data()
    {
        using var body = new MemoryStream();
        var events = new EventWriter(body, TimeProvider.System);

        events.Revocation(new Revocation(RevocationKind.Grant, "g1", Now, Now.AddSeconds(1)), new FeedCursor(7, Now));
        events.Heartbeat(new FeedCursor(8, Now));
        events.Resync();
        await events.SendAsync(TestContext.Current.CancellationToken);

        Assert.Equal(
            """
            event: revocation
            id: 7.1800000000000
            data: {"kind":"grant","key":"g1","at":1800000000000,"expires_at":1800000001000}

            event: heartbeat
            id: 8.1800000000000
            data: {"at":1800000000000}

            event: resync
            data: {}


            """.ReplaceLineEndings("\n"),
            Encoding.UTF8.GetString(body.ToArray()));
    }

    [Fact]
    public void In_whatever_pieces_they_arrive_a_reader_finds_the_same_events() => Prop.ForAll(
        (from kind in Gen.Elements(Enum.GetValues<RevocationKind>())
         from key in ArbMap.Default.GeneratorFor<string?>()
         from sequence in Gen.Choose(0, int.MaxValue)
         select (kind, key: key ?? "", sequence)).ListOf().ToArbitrary(),
        Gen.Choose(1, 50).ToArbitrary(),
        (told, piece) =>
        {
            using var body = new MemoryStream();
            var events = new EventWriter(body, TimeProvider.System);
            foreach (var (kind, key, sequence) in told)
            {
                events.Revocation(new Revocation(kind, key, Now, Now), new FeedCursor(sequence, Now));
            }

            events.SendAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult();
            body.Position = 0;
            var parser = SseParser.Create(new InPieces(body.ToArray(), piece));
            var found = new List<(string Kind, string Key, string Cursor)>();
            foreach (var item in parser.Enumerate())
            {
                var data = JsonNode.Parse(item.Data)!;
                found.Add(((string)data["kind"]!, (string)data["key"]!, parser.LastEventId));
            }

            return found.SequenceEqual(told.Select(each =>
                (each.kind.ToString().ToLowerInvariant(), WellFormed(each.key), new FeedCursor(each.sequence, Now).ToString())));
        }).QuickCheckThrowOnFailure();

    // JSON carries no half of a surrogate pair.
    private static string WellFormed(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    private sealed class InPieces(byte[] bytes, int piece) : MemoryStream(bytes)
    {
        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(piece, buffer.Length)]);

        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(piece, count));
    }

    [Fact]
    public async Task Who_does_not_read_is_cut_off()
    {
        var clock = new StoppedClock();
        await using var body = new Unread();
        var events = new EventWriter(body, clock);
        events.Heartbeat(new FeedCursor(1, Now));

        var sending = events.SendAsync(TestContext.Current.CancellationToken).AsTask();
        Assert.False(sending.IsCompleted);
        Assert.Equal(TimeSpan.FromSeconds(10), clock.DueTime);
        clock.Fire();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
    }

    /// <summary>A connection whose other side takes nothing.</summary>
    private sealed class Unread : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            new(Task.Delay(Timeout.Infinite, cancellationToken));
    }

    /// <summary>Its timer fires when the test says so.</summary>
    private sealed class StoppedClock : TimeProvider, ITimer
    {
        private TimerCallback? _callback;
        private object? _state;

        public TimeSpan DueTime { get; private set; }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            (_callback, _state, DueTime) = (callback, state, dueTime);
            return this;
        }

        public void Fire() => _callback!(_state);

        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
