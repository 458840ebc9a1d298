using System.Diagnostics;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Revocations;

/// <summary>
/// Three nodes in processes of their own on one PostgreSQL. While one is stopped, or dead, things are ended at the others; it never says
/// of any of them that it is alive.
/// </summary>
public sealed class StoppedNodeTests(ThreeNodes world) : IClassFixture<ThreeNodes>
{
    private const int Stopped = 2;

    // Memory counts as fresh for five seconds after the log was read: a node that is stopped for longer has to notice by itself.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private Uri Node => world.Cluster.Addresses[Stopped];

    [Fact]
    public async Task A_node_that_was_stopped_calls_nothing_alive_that_ended_before_it_woke()
    {
        var things = await world.MakeThingsAsync(Node);
        var alive = await world.App.SignInAsync(world.Alice, "openid offline_access", Ct);
        List<Task<string[]>> asked;
        await using (await world.HoldPeopleAsync(Ct))
        {
            // Taken for alive already, they wait for the database.
            asked = [.. things.Select(thing => thing.ComplaintsOfUserInfoAsync(Node, Ct))];
            await world.UntilWaitingAsync(things.Count, Ct);
            await world.Cluster[Stopped].PauseAsync(Ct);
        }

        // What is asked while it is stopped waits in its sockets, asked before the ending or after it.
        var sincePause = Stopwatch.GetTimestamp();
        asked.AddRange(AskAll(things, times: 4));
        await EndAllAsync(things);
        asked.AddRange(AskAll(things, times: 4));
        await Task.Delay(TimeSpan.FromTicks(Math.Max(0, (Pause - Stopwatch.GetElapsedTime(sincePause)).Ticks)), Ct);
        Assert.All(asked, question => Assert.False(question.IsCompleted));
        await world.Cluster[Stopped].GoOnAsync(Ct);
        for (var round = 0; round < 20; round++)
        {
            asked.AddRange(AskAll(things, times: 1));
            await Task.Delay(TimeSpan.FromMilliseconds(25), Ct);
        }

        Assert.Empty((await Task.WhenAll(asked)).SelectMany(complaints => complaints));
        await AssertGoesOnAsync(alive);
    }

    [Fact]
    public async Task A_node_that_was_killed_calls_nothing_alive_that_ended_before_it_was_back()
    {
        var things = await world.MakeThingsAsync(Node);
        var alive = await world.App.SignInAsync(world.Alice, "openid offline_access", Ct);
        await world.Cluster[Stopped].KillAsync(Ct);
        await EndAllAsync(things);

        // From the instant it listens, whether it calls itself ready or not.
        var starting = world.Cluster.StartNodeAsync(Stopped, Ct);
        var complaints = new List<string>();
        do
        {
            complaints.AddRange(await AskIfItListensAsync(things));
        }
        while (!starting.IsCompleted);

        await starting;
        complaints.AddRange((await Task.WhenAll(AskAll(things, times: 4))).SelectMany(each => each));
        Assert.Empty(complaints);
        await AssertGoesOnAsync(alive);
    }

    private async Task EndAllAsync(IReadOnlyList<Holding> things)
    {
        foreach (var (thing, i) in things.Select((thing, i) => (thing, i)))
        {
            await thing.EndAsync(world.Cluster.Addresses[i % Stopped]);
        }
    }

    /// <summary>Refusing everything would be easy.</summary>
    private async Task AssertGoesOnAsync(TokenAnswer alive)
    {
        var app = world.App.At(Node);
        Assert.True((await app.IntrospectAsync(alive.AccessToken!, Ct)).IsActive);
        Assert.Equal(200, (await app.UserInfoAsync(alive.AccessToken!, Ct)).Status);
        Check.Tokens(await app.RefreshAsync(alive.RefreshToken!, Ct));
    }

    private List<Task<string[]>> AskAll(IReadOnlyList<Holding> things, int times) =>
        [.. Enumerable.Range(0, times).SelectMany(_ => things.Select(thing => thing.ComplaintsAsync(Node, Ct)))];

    private async Task<IEnumerable<string>> AskIfItListensAsync(IReadOnlyList<Holding> things)
    {
        try
        {
            return (await Task.WhenAll(AskAll(things, times: 1))).SelectMany(complaints => complaints);
        }
        catch (HttpRequestException)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), Ct);
            return [];
        }
    }
}
