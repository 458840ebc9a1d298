using IdentityServer.Protocol;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Storage;
using IdentityServer.Storage.Grants;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.StorageTests.Grants;

public sealed class GrantStoreContract : Contract
{
    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_code_is_found_with_its_grant(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var grants = storage.Get<IGrantStore>();
        var grant = Samples.Grant(await SignInAsync(storage));
        var code = Samples.Token(grant, TokenKind.Code);

        Assert.True(await grants.OpenAsync(grant, code, Samples.Audit("opened"), Ct));

        Assert.Equivalent(code, await grants.FindTokenAsync(TokenKind.Code, code.Hash, Ct), strict: true);
        Assert.Equivalent(grant, await grants.FindAsync(grant.Id, Ct), strict: true);
        Assert.Null(await grants.FindTokenAsync(TokenKind.Refresh, code.Hash, Ct));
        Assert.Null(await grants.FindTokenAsync(TokenKind.Code, code.Hash.ToLowerInvariant(), Ct));
        Assert.Null(await grants.FindAsync(Turned(grant.Id), Ct));
        Assert.Contains("opened", await AuditTypesAsync(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Nothing_is_opened_in_a_session_that_ended_or_never_was(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var grants = storage.Get<IGrantStore>();
        var ended = await SignInAsync(storage);
        await EndAsync(storage, ended, alsoOffline: false);

        foreach (var session in new[] { ended, Samples.Session() })
        {
            foreach (var offline in new[] { false, true })
            {
                var grant = Samples.Grant(session, offline: offline);
                Assert.False(await grants.OpenAsync(
                    grant, Samples.Token(grant, TokenKind.Code), Samples.Audit("opened"), Ct));
            }
        }

        Assert.Equal(0, await CountAsync<Grant>(storage));
        Assert.Equal(0, await CountAsync<TokenRow>(storage));
        Assert.DoesNotContain("opened", await AuditTypesAsync(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Spending_stores_the_successors_and_keeps_the_sealed_one(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var grants = storage.Get<IGrantStore>();
        var token = await RefreshTokenAsync(storage);
        var (refresh, reference) = (Samples.Token(token.Grant), Samples.Token(token.Grant, TokenKind.Reference));
        byte[] box = [0, 255, 1];

        Assert.True(await grants.SpendAsync(
            token, [reference, refresh], box, Samples.Now.AddSeconds(3), Samples.Audit("spent"), Ct));

        var spent = await grants.FindTokenAsync(TokenKind.Refresh, token.Hash, Ct);
        Assert.Equal((Samples.Now.AddSeconds(3), refresh.Hash), (spent!.SpentAt, spent.SuccessorHash));
        Assert.Equal(box, spent.SealedSuccessor);
        Assert.Equivalent(refresh, await grants.FindTokenAsync(TokenKind.Refresh, refresh.Hash, Ct), strict: true);
        Assert.Equivalent(reference, await grants.FindTokenAsync(TokenKind.Reference, reference.Hash, Ct), strict: true);
        Assert.Contains("spent", await AuditTypesAsync(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_token_spent_already_stores_nothing_more(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var grants = storage.Get<IGrantStore>();
        var token = await RefreshTokenAsync(storage);
        var (first, second) = (Samples.Token(token.Grant), Samples.Token(token.Grant));
        await grants.SpendAsync(token, [first], [1], Samples.Now, Samples.Audit(), Ct);

        Assert.False(await grants.SpendAsync(token, [second], [2], Samples.Now, Samples.Audit("second"), Ct));

        var spent = await grants.FindTokenAsync(TokenKind.Refresh, token.Hash, Ct);
        Assert.Equal(first.Hash, spent!.SuccessorHash);
        Assert.Equal([1], spent.SealedSuccessor!);
        Assert.Null(await grants.FindTokenAsync(TokenKind.Refresh, second.Hash, Ct));
        Assert.DoesNotContain("second", await AuditTypesAsync(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_code_may_be_spent_for_nothing(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var grants = storage.Get<IGrantStore>();
        var grant = Samples.Grant(await SignInAsync(storage));
        var code = Samples.Token(grant, TokenKind.Code);
        await grants.OpenAsync(grant, code, Samples.Audit(), Ct);

        Assert.True(await grants.SpendAsync(code, [], null, Samples.Now, Samples.Audit(), Ct));

        var spent = await grants.FindTokenAsync(TokenKind.Code, code.Hash, Ct);
        Assert.Equal((Samples.Now, null, null), (spent!.SpentAt, spent.SuccessorHash, spent.SealedSuccessor));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_successor_that_exists_already_undoes_the_spending(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var grants = storage.Get<IGrantStore>();
        var token = await RefreshTokenAsync(storage);
        var other = await RefreshTokenAsync(storage);

        await Assert.ThrowsAnyAsync<Exception>(() => grants.SpendAsync(
            token, [Samples.Token(token.Grant) with { Hash = other.Hash }], [1], Samples.Now, Samples.Audit("spent"), Ct).AsTask());

        Assert.Null((await grants.FindTokenAsync(TokenKind.Refresh, token.Hash, Ct))!.SpentAt);
        Assert.DoesNotContain("spent", await AuditTypesAsync(storage));
        Assert.True(await grants.SpendAsync(token, [], null, Samples.Now, Samples.Audit(), Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Of_64_uses_of_one_token_at_once_on_two_nodes_one_wins(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        var token = await RefreshTokenAsync(storage);
        var successors = Enumerable.Range(0, 64).Select(_ => Samples.Token(token.Grant)).ToArray();

        var won = await AtOnceAsync(64, i => (i % 2 == 0 ? storage : other).Get<IGrantStore>()
            .SpendAsync(token, [successors[i]], [(byte)i], Samples.Now, Samples.Audit("spent"), Ct).AsTask());

        var winner = Array.IndexOf(won, true);
        Assert.Single(won, done => done);
        var spent = await storage.Get<IGrantStore>().FindTokenAsync(TokenKind.Refresh, token.Hash, Ct);
        Assert.Equal(successors[winner].Hash, spent!.SuccessorHash);
        Assert.Equal([(byte)winner], spent.SealedSuccessor!);
        Assert.Equal(3, await CountAsync<TokenRow>(storage)); // code, token, one successor
        Assert.Single(await AuditTypesAsync(storage), type => type == "spent");
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_refresh_racing_the_end_of_its_grant_leaves_nothing_usable(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();

        for (var round = 0; round < 25; round++)
        {
            var token = await RefreshTokenAsync(storage, offline: round % 2 == 0);
            var successor = Samples.Token(token.Grant);

            await AtOnceAsync(2, async i => i == 0
                ? await storage.Get<IGrantStore>().SpendAsync(token, [successor], [1], Samples.Now, Samples.Audit(), Ct)
                : round % 3 == 0
                    ? await EndAsync(other, token.Grant!.SessionId, alsoOffline: true)
                    : await other.Get<IRevocationStore>().EndGrantAsync(
                        Samples.Revocation(RevocationKind.Grant, token.Grant!.Id), Samples.Ending(), Ct));

            foreach (var hash in new[] { token.Hash, successor.Hash })
            {
                var left = await storage.Get<IGrantStore>().FindTokenAsync(TokenKind.Refresh, hash, Ct);
                Assert.False(left is { SpentAt: null, Grant.EndedAt: null });
                Assert.False(left is not null
                    && await storage.Get<IGrantStore>().SpendAsync(left, [], null, Samples.Now, Samples.Audit(), Ct));
            }
        }
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_grant_opened_while_its_session_ends_is_ended(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();

        for (var round = 0; round < 25; round++)
        {
            var session = await SignInAsync(storage);
            var opened = Enumerable.Range(0, 4).Select(i => Samples.Grant(session, offline: i % 2 == 0)).ToArray();
            var codes = opened.Select(grant => Samples.Token(grant, TokenKind.Code)).ToArray();

            await AtOnceAsync(5, async i => i < 4
                ? await storage.Get<IGrantStore>().OpenAsync(opened[i], codes[i], Samples.Audit(), Ct)
                : await EndAsync(other, session, alsoOffline: true));

            foreach (var code in codes)
            {
                var left = await storage.Get<IGrantStore>().FindTokenAsync(TokenKind.Code, code.Hash, Ct);
                Assert.False(left is { Grant.EndedAt: null });
                Assert.False(left is not null
                    && await storage.Get<IGrantStore>().SpendAsync(left, [], null, Samples.Now, Samples.Audit(), Ct));
            }
        }
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_caller_who_goes_away_leaves_a_deed_done_whole_or_not_at_all(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var grants = storage.Get<IGrantStore>();
        var session = await SignInAsync(storage);

        for (var round = 0; round < 50; round++)
        {
            var grant = Samples.Grant(session, offline: true);
            var token = await RefreshTokenAsync(storage, grant);
            var successor = Samples.Token(grant);
            using var leaving = new CancellationTokenSource();

            var spending = grants.SpendAsync(token, [successor], [1], Samples.Now, Samples.Audit($"spent {round}"), leaving.Token);
            for (var turns = Any(20); turns > 0; turns--)
            {
                await Task.Yield();
            }

            await leaving.CancelAsync();
            var answer = await Record.ExceptionAsync(async () => Assert.True(await spending));

            // A deed behind it on the same writer: afterwards the first is decided.
            Assert.True(await grants.AddTokenAsync(Samples.Token(grant, TokenKind.Reference), Samples.Audit(), Ct));
            var spent = await grants.FindTokenAsync(TokenKind.Refresh, token.Hash, Ct) is { SpentAt: not null };
            Assert.Equal(spent, await grants.FindTokenAsync(TokenKind.Refresh, successor.Hash, Ct) is not null);
            Assert.Equal(spent, (await AuditTypesAsync(storage)).Contains($"spent {round}"));
            Assert.True(spent || answer is OperationCanceledException);
        }
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_client_may_have_a_reference_token_for_itself(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var grants = storage.Get<IGrantStore>();
        var token = Samples.Token(null, TokenKind.Reference, clientId: "service");

        Assert.True(await grants.AddTokenAsync(token, Samples.Audit("added"), Ct));

        Assert.Equivalent(token, await grants.FindTokenAsync(TokenKind.Reference, token.Hash, Ct), strict: true);
        Assert.Contains("added", await AuditTypesAsync(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_token_whose_grant_is_gone_is_unknown(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var grants = storage.Get<IGrantStore>();
        var token = await RefreshTokenAsync(storage);
        await using (var db = await storage.Get<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct))
        {
            await db.Grants.ExecuteDeleteAsync(Ct);
        }

        Assert.Null(await grants.FindTokenAsync(TokenKind.Refresh, token.Hash, Ct));
        Assert.False(await grants.SpendAsync(token, [], null, Samples.Now, Samples.Audit(), Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_grant_whose_session_was_cleaned_away_is_ended_unless_it_is_offline(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var grants = storage.Get<IGrantStore>();
        var bound = await RefreshTokenAsync(storage);
        var offline = await RefreshTokenAsync(storage, offline: true);
        await using (var db = await storage.Get<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct))
        {
            await db.Sessions.ExecuteDeleteAsync(Ct);
        }

        Assert.NotNull((await grants.FindTokenAsync(TokenKind.Refresh, bound.Hash, Ct))!.Grant!.EndedAt);
        Assert.False(await grants.SpendAsync(bound, [], null, Samples.Now, Samples.Audit(), Ct));
        Assert.Null((await grants.FindTokenAsync(TokenKind.Refresh, offline.Hash, Ct))!.Grant!.EndedAt);
        Assert.True(await grants.SpendAsync(offline, [], null, Samples.Now, Samples.Audit(), Ct));
    }

    private static Task<bool> EndAsync(TestStorage storage, Session session, bool alsoOffline) =>
        EndAsync(storage, session.Id, alsoOffline);

    private static async Task<bool> EndAsync(TestStorage storage, string sessionId, bool alsoOffline) =>
        (await storage.Get<IRevocationStore>().EndSessionAsync(
            Samples.Revocation(RevocationKind.Session, sessionId), alsoOffline, Samples.Ending(), Ct)).Count > 0;
}
