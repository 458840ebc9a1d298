using System.Security.Claims;
using FsCheck;
using FsCheck.Fluent;
using IdentityServer.ResourceServer.Revocations;
using IdentityServer.ResourceServer.Tokens;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.ResourceServer;

/// <summary>Every kind of revocation ends the tokens that it means, and only those.</summary>
public sealed class EndedTokensTests
{
    private readonly MutableClock _clock = new();

    private long Later => _clock.GetUtcNow().AddHours(13).ToUnixTimeMilliseconds();

    [Theory]
    [InlineData("token", "jti-1")]
    [InlineData("grant", "gid-1")]
    [InlineData("session", "sid-1")]
    [InlineData("key", "kid-1")]
    public void An_id_ends_what_carries_it(string kind, string key)
    {
        var ended = new EndedTokens(_clock);
        Assert.True(ended.Add(Revocation(kind, key)));

        Assert.Equal(kind, ended.Find(Token("1")));
        Assert.Null(ended.Find(Token("2")));

        // The same text under another claim is something else.
        var elsewhere = new EndedTokens(_clock);
        foreach (var other in new[] { "token", "grant", "session", "key" }.Where(other => other != kind))
        {
            elsewhere.Add(Revocation(other, key));
        }

        Assert.Null(elsewhere.Find(Token("1")));
    }

    [Theory]
    [InlineData("subject", "sub-1", "2")]
    [InlineData("client", "client-1", "2")]
    [InlineData("everything", "*", null)]
    public void A_cutoff_ends_what_is_older_and_spares_one_session(string kind, string key, string? unaffected)
    {
        var ended = new EndedTokens(_clock);
        ended.Add(Revocation(kind, key) with { Epoch = 5, ExceptSessionId = "sid-spared" });

        Assert.Equal(kind, ended.Find(Token("1") with { Epoch = 4 }));
        Assert.Equal(kind, ended.Find(Token("1") with { Epoch = 0, SessionId = null }));
        Assert.Null(ended.Find(Token("1") with { Epoch = 5 }));
        Assert.Null(ended.Find(Token("1") with { Epoch = 6 }));
        Assert.Null(ended.Find(Token("1") with { Epoch = 4, SessionId = "sid-spared" }));
        Assert.Equal(unaffected is null ? kind : null, ended.Find(Token("2")));
    }

    [Fact]
    public void A_later_cutoff_that_spares_another_session_does_not_bring_back_what_an_earlier_one_ended()
    {
        var ended = new EndedTokens(_clock);
        ended.Add(Revocation("subject", "sub-1") with { Epoch = 5, ExceptSessionId = "a" });
        ended.Add(Revocation("subject", "sub-1") with { Epoch = 7, ExceptSessionId = "b" });

        Assert.Equal("subject", ended.Find(Token("1") with { Epoch = 4, SessionId = "b" }));
        Assert.Equal("subject", ended.Find(Token("1") with { Epoch = 4, SessionId = "a" }));
        Assert.Null(ended.Find(Token("1") with { Epoch = 6, SessionId = "b" }));
    }

    [Fact]
    public void A_kind_from_the_future_is_said_to_be_unknown()
    {
        var ended = new EndedTokens(_clock);

        Assert.False(ended.Add(Revocation("tenant", "x")));
        Assert.Equal(0, ended.Count);
    }

    [Fact]
    public void What_can_end_nothing_any_more_is_forgotten()
    {
        var ended = new EndedTokens(_clock);
        ended.Add(Revocation("token", "jti-1"));
        ended.Add(Revocation("subject", "sub-1") with { Epoch = 1 });
        _clock.Advance(TimeSpan.FromHours(13));

        ended.Add(Revocation("token", "another"));

        Assert.Equal(1, ended.Count);
    }

    [Fact]
    public void In_whatever_order_and_however_often_they_come_the_same_tokens_are_dead()
    {
        // Few keys and epochs, so that they meet.
        var revocations = (
            from kind in Gen.Elements("token", "grant", "session", "key", "subject", "client", "everything")
            from number in Gen.Choose(1, 3)
            from epoch in Gen.Choose(0, 4)
            from spared in Gen.Elements(null, "sid-1", "sid-2", "sid-3")
            select Revocation(kind, $"{NameOf(kind)}-{number}") with { Epoch = epoch, ExceptSessionId = spared }).ListOf();
        var tokens =
            from parts in Gen.Choose(1, 3).ArrayOf(6)
            from epoch in Gen.Choose(0, 4)
            select Token("1") with
            {
                Id = $"jti-{parts[0]}",
                GrantId = $"gid-{parts[1]}",
                SessionId = $"sid-{parts[2]}",
                KeyId = $"kid-{parts[3]}",
                Subject = $"sub-{parts[4]}",
                ClientId = $"client-{parts[5]}",
                Epoch = epoch,
            };
        Prop.ForAll(revocations.ToArbitrary(), tokens.ToArbitrary(), (told, token) =>
        {
            var (once, again) = (new EndedTokens(_clock), new EndedTokens(_clock));
            foreach (var revocation in told)
            {
                once.Add(revocation);
            }

            foreach (var revocation in Enumerable.Reverse(told).Concat(told))
            {
                again.Add(revocation);
            }

            var isDead = told.Any(revocation => Ends(revocation, token));
            return once.Find(token) is not null == isDead && again.Find(token) is not null == isDead;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_million_take_less_than_two_hundred_megabytes()
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var ended = new EndedTokens(_clock);
        for (var i = 0; i < 1_000_000; i++)
        {
            ended.Add(Revocation("token", $"aaaaaaaaaaaaaaa{i:0000000}"));
        }

        var taken = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.Equal(1_000_000, ended.Count);
        Assert.InRange(taken, 1, 200L * 1024 * 1024);
    }

    /// <summary>The rule as the documentation has it.</summary>
    private static bool Ends(FeedRevocation revocation, AccessToken token) => revocation.Kind switch
    {
        "token" => revocation.Key == token.Id,
        "grant" => revocation.Key == token.GrantId,
        "session" => revocation.Key == token.SessionId,
        "key" => revocation.Key == token.KeyId,
        "subject" => revocation.Key == token.Subject && IsCutOff(revocation, token),
        "client" => revocation.Key == token.ClientId && IsCutOff(revocation, token),
        _ => IsCutOff(revocation, token),
    };

    private static bool IsCutOff(FeedRevocation cutoff, AccessToken token) =>
        token.Epoch < cutoff.Epoch && (cutoff.ExceptSessionId is null || cutoff.ExceptSessionId != token.SessionId);

    private static string NameOf(string kind) => kind switch
    {
        "token" => "jti",
        "grant" => "gid",
        "session" => "sid",
        "key" => "kid",
        "subject" => "sub",
        _ => kind,
    };

    private FeedRevocation Revocation(string kind, string key) => new() { Kind = kind, Key = key, At = 0, ExpiresAt = Later };

    private AccessToken Token(string number) => new()
    {
        Id = "jti-" + number,
        GrantId = "gid-" + number,
        SessionId = "sid-" + number,
        KeyId = "kid-" + number,
        Subject = "sub-" + number,
        ClientId = "client-" + number,
        ExpiresAt = _clock.GetUtcNow().AddMinutes(10),
        Identity = new ClaimsIdentity(),
    };
}
