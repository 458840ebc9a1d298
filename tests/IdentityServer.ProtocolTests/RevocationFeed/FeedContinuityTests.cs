using System.Net;
using System.Security.Cryptography;

namespace IdentityServer.ProtocolTests.RevocationFeed;

/// <summary>No event is lost: not between connections, not when rows become visible out of order, not to a reader who is overtaken.</summary>
public sealed class FeedContinuityTests(FeedServer world) : IClassFixture<FeedServer>
{
    [Fact]
    public async Task Ten_thousand_events_with_random_disconnects_arrive_without_a_gap()
    {
        const int Events = 10_000;

        // What other tests of this class wrote is too long ago to be told again.
        world.Server.Clock.Advance(TimeSpan.FromMinutes(1));
        await world.PollAsync();
        var first = await world.LatestAsync() + 1;

        // Who comes without a cursor is told of what comes from then on.
        string cursor;
        await using (var begin = await world.FollowAsync())
        {
            await begin.UntilHeartbeatAsync();
            cursor = begin.LastEventId;
        }

        var seen = new HashSet<long>();
        var received = 0;
        var connections = 0;

        // Written as several nodes would: numbered in order, visible in any order within the same few seconds.
        var allWritten = new TaskCompletionSource();
        var allRead = new TaskCompletionSource();
        var writer = Task.Run(async () =>
        {
            for (var written = 0; written < Events;)
            {
                var batch = Enumerable.Range(0, Math.Min(RandomNumberGenerator.GetInt32(50, 400), Events - written)).Select(i => first + written + i).ToArray();
                written += batch.Length;
                RandomNumberGenerator.Shuffle(batch.AsSpan());
                foreach (var part in batch.Chunk(60))
                {
                    await world.WriteAsync(part.Select(sequence => (sequence, $"{sequence}")));
                    await world.PollAsync();
                }

                // Now and then so long that a stream which has not told of them yet meets them together with the news that they are settled.
                world.Server.Clock.Advance(TimeSpan.FromSeconds(written % 2 == 0 ? 3 : 11));
                await world.PollAsync();
            }

            // Heartbeats for those who are connected still.
            allWritten.SetResult();
            while (!allRead.Task.IsCompleted)
            {
                world.Server.Clock.Advance(TimeSpan.FromSeconds(1));
                await world.PollAsync();
                await Task.Delay(TimeSpan.FromMilliseconds(50), TestContext.Current.CancellationToken);
            }
        }, TestContext.Current.CancellationToken);
        for (var isLast = false; !isLast;)
        {
            // Who comes when everything is written reads up to the heartbeat: what is missing then would be lost.
            isLast = allWritten.Task.IsCompleted || writer.IsCompleted;
            var response = await world.AskAsync(await world.FeedTokenAsync(), cursor);
            if (response.StatusCode == HttpStatusCode.TooManyRequests)
            {
                // The server has not seen yet that earlier connections are gone.
                response.Dispose();
                await Task.Delay(TimeSpan.FromMilliseconds(50), TestContext.Current.CancellationToken);
                isLast = false;
                continue;
            }

            await using var feed = await FeedReader.OpenAsync(response, TestContext.Current.CancellationToken);
            connections++;
            var patience = isLast ? int.MaxValue : RandomNumberGenerator.GetInt32(1, 1_500);
            while (patience-- > 0 && await feed.NextAsync() is { } next)
            {
                Assert.NotEqual("resync", next.Type);
                if (next.Type == "heartbeat")
                {
                    if (allWritten.Task.IsCompleted)
                    {
                        break;
                    }
                }
                else if (long.TryParse((string)next.Data["key"]!, System.Globalization.CultureInfo.InvariantCulture, out var sequence)
                    && sequence >= first)
                {
                    // The log is that of the other tests of this class, too.
                    received++;
                    seen.Add(sequence);
                }
            }

            // A stream may be cut within an event; the cursor is that of the last whole one.
            cursor = feed.LastEventId.Length > 0 ? feed.LastEventId : cursor;
        }

        allRead.SetResult();
        await writer;
        Assert.Equal(Enumerable.Range(0, Events).Select(i => first + i), seen.Order());
        Assert.True(connections > 5, $"{connections} connections are no test.");
        TestContext.Current.TestOutputHelper?.WriteLine($"{received} events in {connections} connections");
    }

    [Fact]
    public async Task A_row_that_becomes_visible_late_is_told_to_who_is_connected_and_to_who_comes_back()
    {
        await world.PollAsync();
        var first = await world.LatestAsync() + 1;
        await using var connected = await world.FollowAsync();
        await connected.UntilHeartbeatAsync();
        await world.WriteAsync([(first + 1, "second")]);
        await world.PollAsync();
        Assert.Equal("second", (string)(await connected.NextAsync())!.Value.Data["key"]!);
        string cursor;
        await using (var left = await world.FollowAsync(connected.LastEventId))
        {
            Assert.Contains("second", await left.UntilHeartbeatAsync());
            cursor = left.LastEventId;
        }

        world.Server.Clock.Advance(TimeSpan.FromSeconds(3));
        await world.WriteAsync([(first, "first")]);
        await using var back = await world.FollowAsync(cursor);
        Assert.Contains("first", await back.UntilHeartbeatAsync());
        await world.PollAsync();

        Assert.Equal(["first"], await connected.UntilHeartbeatAsync());
    }

    [Fact]
    public async Task Who_is_overtaken_is_cut_off_and_finds_everything_at_the_old_cursor()
    {
        await world.PollAsync();
        var first = await world.LatestAsync() + 1;
        string cursor;
        await using (var slow = await world.FollowAsync())
        {
            await slow.UntilHeartbeatAsync();
            cursor = slow.LastEventId;

            // More than this node keeps in memory, in one reading.
            await world.WriteAsync(Enumerable.Range(0, 33_000).Select(i => (first + i, $"{first + i}")));
            await world.PollAsync();
            Assert.Null(await slow.NextAsync());
        }

        await using var back = await world.FollowAsync(cursor);
        var told = await back.UntilHeartbeatAsync();

        Assert.Equal(33_000, told.Distinct().Count(key => long.TryParse(key, System.Globalization.CultureInfo.InvariantCulture, out var sequence) && sequence >= first));
    }
}
