using System.Net;
using System.Text.Json.Nodes;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.RevocationFeed;

/// <summary>Who follows the feed hears of everything that ends, and nobody else hears anything.</summary>
public sealed class FeedEndpointTests(FeedServer world) : IClassFixture<FeedServer>
{
    private static readonly TimeSpan BetweenHeartbeats = TimeSpan.FromSeconds(2);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private ServerFixture Server => world.Server;

    public static TheoryData<string> Doors => ["", "/snapshot"];

    [Theory, MemberData(nameof(Doors))]
    public async Task Without_a_token_nothing_is_told_but_what_is_needed(string path)
    {
        await world.PollAsync();
        using var response = await world.AskAsync(null, path: path);

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal($"Bearer realm=\"{Server.Provider.Issuer}\"", response.Headers.WwwAuthenticate.ToString());
    }

    [Theory, MemberData(nameof(Doors))]
    public async Task A_token_that_is_none_is_refused(string path)
    {
        await world.PollAsync();
        foreach (var token in new[] { "x", Handle.Create().Text, "e30.e30.e30" })
        {
            await AssertRefusedAsync(token, path, HttpStatusCode.Unauthorized, "invalid_token");
        }
    }

    [Theory, MemberData(nameof(Doors))]
    public async Task A_token_for_something_else_is_not_enough(string path)
    {
        await world.PollAsync();
        var token = (await world.Service.ClientCredentialsAsync(null, Ct)).AccessToken!;

        await AssertRefusedAsync(token, path, HttpStatusCode.Forbidden, "insufficient_scope");
    }

    [Theory, MemberData(nameof(Doors))]
    public async Task A_persons_token_opens_nothing_whatever_its_scopes(string path)
    {
        await world.PollAsync();
        var tokens = await world.App.SignInAsync(world.Alice, "openid revocations", Ct);

        await AssertRefusedAsync(tokens.AccessToken!, path, HttpStatusCode.Forbidden, "insufficient_scope");
    }

    [Fact]
    public async Task Only_clients_that_were_given_the_scope_get_it_and_only_when_they_ask()
    {
        Check.TokenError(await world.Service.ClientCredentialsAsync("revocations", Ct), "invalid_scope");

        var without = await world.Api.ClientCredentialsAsync(null, Ct);
        Assert.DoesNotContain("revocations", without.Scope ?? "", StringComparison.Ordinal);
        var metadata = JsonNode.Parse((await Server.FetchAsync(Endpoints.Discovery, Ct)).Text)!;
        Assert.Equal(world.Feed.AbsoluteUri, (string)metadata["revocations_endpoint"]!);
        Assert.DoesNotContain("revocations", metadata["scopes_supported"]!.AsArray().Select(scope => (string)scope!));
    }

    [Fact]
    public async Task What_ends_is_told_with_kind_key_and_times()
    {
        await world.PollAsync();
        await using var feed = await world.FollowAsync();
        await feed.UntilHeartbeatAsync();

        var id = Handle.NewId();
        await world.EndTokenAsync(id);
        await world.PollAsync();

        var (type, data) = (await feed.NextAsync())!.Value;
        var now = Server.Clock.GetUtcNow();
        Assert.Equal("revocation", type);
        Assert.Equal(("token", id), ((string)data["kind"]!, (string)data["key"]!));
        Assert.Equal(now.ToUnixTimeMilliseconds(), (long)data["at"]!);
        Assert.True((long)data["expires_at"]! > now.AddHours(12).ToUnixTimeMilliseconds());
        Assert.Null(data["epoch"]);
    }

    [Fact]
    public async Task A_revoked_grant_and_an_ended_session_are_told_by_their_kinds()
    {
        await world.PollAsync();
        await using var feed = await world.FollowAsync();
        await feed.UntilHeartbeatAsync();
        var online = await world.App.SignInAsync(world.Alice, "openid orders.read", Ct);
        var offline = await world.App.SignInAsync(world.Alice, "openid offline_access orders.read", Ct);
        var (sid, gid) = ((string)Jwt.Parse(online.AccessToken!).Claims["sid"]!, (string)Jwt.Parse(offline.AccessToken!).Claims["gid"]!);

        await world.Revoker.EndSessionAsync(sid, (string)Jwt.Parse(online.AccessToken!).Claims["sub"]!, false, new Cause("test", "test", null), Ct);
        await world.App.RevokeAsync(offline.RefreshToken!, Ct);
        await world.PollAsync();

        var told = new[] { (await feed.NextAsync())!.Value.Data, (await feed.NextAsync())!.Value.Data };
        Assert.Equal([("session", sid), ("grant", gid)], told.Select(data => ((string)data["kind"]!, (string)data["key"]!)));
    }

    [Fact]
    public async Task A_heartbeat_comes_every_two_seconds_and_never_from_a_node_that_is_behind()
    {
        await world.PollAsync();
        await using var feed = await world.FollowAsync();
        await feed.UntilHeartbeatAsync();

        Server.Clock.Advance(BetweenHeartbeats);
        await world.PollAsync();
        var first = (await feed.NextAsync())!.Value;
        Server.Clock.Advance(TimeSpan.FromSeconds(6));
        Server.Clock.Advance(TimeSpan.FromSeconds(1));
        await world.PollAsync();
        var second = (await feed.NextAsync())!.Value;

        Assert.Equal(("heartbeat", "heartbeat"), (first.Type, second.Type));
        Assert.Equal(7_000, (long)second.Data["at"]! - (long)first.Data["at"]!);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Whoever_comes_back_with_a_cursor_is_told_what_they_missed(bool byHeader)
    {
        await world.PollAsync();
        string cursor;
        await using (var feed = await world.FollowAsync())
        {
            await feed.UntilHeartbeatAsync();
            cursor = feed.LastEventId;
        }

        string[] ids = [Handle.NewId(), Handle.NewId(), Handle.NewId()];
        foreach (var id in ids)
        {
            await world.EndTokenAsync(id);
        }

        // This node has not read its log since: the rows come from there.
        var token = await world.FeedTokenAsync();
        await using var again = await FeedReader.OpenAsync(
            byHeader ? await world.AskAsync(token, cursor) : await world.AskAsync(token, path: "?after=" + cursor), Ct);

        var told = await again.UntilHeartbeatAsync();
        Assert.Equal(ids, told.Where(ids.Contains).Distinct());
    }

    [Fact]
    public async Task Whoever_comes_without_a_cursor_starts_at_the_present()
    {
        var before = Handle.NewId();
        await world.EndTokenAsync(before);
        await world.PollAsync();
        Server.Clock.Advance(TimeSpan.FromSeconds(11));
        await world.PollAsync();

        await using var feed = await world.FollowAsync();

        Assert.DoesNotContain(before, await feed.UntilHeartbeatAsync());
    }

    [Fact]
    public async Task A_cursor_that_the_log_does_not_reach_back_to_has_to_start_over()
    {
        await world.PollAsync();
        string old;
        await using (var feed = await world.FollowAsync())
        {
            await feed.UntilHeartbeatAsync();
            old = feed.LastEventId;
        }

        await world.EndTokenAsync(Handle.NewId());
        var latest = await world.LatestAsync();
        var now = Server.Clock.GetUtcNow().ToUnixTimeMilliseconds();
        Server.Clock.Advance(TimeSpan.FromHours(20) + TimeSpan.FromSeconds(1));
        await world.PollAsync();

        foreach (var cursor in new[] { old, "", "x", "-1.5", $"{latest + 1}.{now + 72_000_000}", $"0.{now + 79_300_000}", "1.99999999999999999" })
        {
            await using var feed = await world.FollowAsync(cursor);
            Assert.Equal("resync", (await feed.NextAsync())!.Value.Type);
            Assert.Null(await feed.NextAsync());
        }
    }

    [Fact]
    public async Task The_end_of_the_token_is_the_end_of_the_stream()
    {
        await world.PollAsync();
        await using var feed = await world.FollowAsync();
        await feed.UntilHeartbeatAsync();

        Server.Clock.Advance(TimeSpan.FromMinutes(10));
        await world.PollAsync();

        Assert.Null(await feed.NextAsync());
    }

    [Fact]
    public async Task A_revoked_token_is_told_nothing_more()
    {
        await world.PollAsync();
        var token = await world.FeedTokenAsync();
        await using var feed = await world.FollowAsync(token: token);
        await feed.UntilHeartbeatAsync();

        await world.Api.RevokeAsync(token, Ct);
        await world.PollAsync();

        Assert.Null(await feed.NextAsync());
    }

    [Fact]
    public async Task A_client_holds_only_so_many_streams()
    {
        await world.PollAsync();
        var many = await world.AddServiceAsync("many-streams", "revocations");
        var token = await world.FeedTokenAsync(many);
        var open = new List<HttpResponseMessage>();
        for (var i = 0; i < 64; i++)
        {
            open.Add(await world.AskAsync(token));
            Assert.Equal(HttpStatusCode.OK, open[i].StatusCode);
        }

        using (var refused = await world.AskAsync(token))
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        }

        await using (var others = await world.FollowAsync())
        {
            await others.UntilHeartbeatAsync();
        }

        open.ForEach(response => response.Dispose());
        HttpStatusCode status;
        do
        {
            // The server notices when it is told that the connection is gone.
            using var again = await world.AskAsync(token);
            status = again.StatusCode;
        }
        while (status == HttpStatusCode.TooManyRequests);

        Assert.Equal(HttpStatusCode.OK, status);
    }

    [Fact]
    public async Task The_snapshot_holds_all_that_is_worth_remembering_and_the_stream_goes_on_from_it()
    {
        await world.PollAsync();
        var over = Handle.NewId();
        await world.EndTokenAsync(over);
        Server.Clock.Advance(TimeSpan.FromHours(14));
        await world.PollAsync();
        var ids = Enumerable.Range(0, 1_100).Select(_ => Handle.NewId()).ToArray();
        await Parallel.ForEachAsync(ids, new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (id, _) => await world.EndTokenAsync(id));

        using var response = await world.AskAsync(await world.FeedTokenAsync(), path: "/snapshot");
        var snapshot = JsonNode.Parse(await response.Content.ReadAsStringAsync(Ct))!;
        var later = Handle.NewId();
        await world.EndTokenAsync(later);
        await using var feed = await world.FollowAsync((string)snapshot["cursor"]!);

        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        var keys = snapshot["revocations"]!.AsArray().Select(entry => (string)entry!["key"]!).ToArray();
        Assert.Equal(keys.Length, keys.Distinct().Count());
        Assert.Empty(ids.Except(keys));
        Assert.DoesNotContain(over, keys);
        Assert.Contains(later, await feed.UntilHeartbeatAsync());
    }

    private async Task AssertRefusedAsync(string token, string path, HttpStatusCode status, string error)
    {
        using var response = await world.AskAsync(token, path: path);

        Assert.Equal(status, response.StatusCode);
        var challenge = Assert.Single(response.Headers.WwwAuthenticate).ToString();
        Assert.Contains($"error=\"{error}\"", challenge, StringComparison.Ordinal);
        Assert.Equal(status == HttpStatusCode.Forbidden, challenge.Contains("scope=\"revocations\"", StringComparison.Ordinal));
    }
}
