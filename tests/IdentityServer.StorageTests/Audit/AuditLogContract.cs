using IdentityServer.Protocol.Audit;
using IdentityServer.Storage;

namespace IdentityServer.StorageTests.Audit;

public sealed class AuditLogContract : Contract
{
    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Events_come_back_newest_first_and_a_grants_oldest_first(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var log = storage.Get<IAuditLog>();
        var full = new AuditEvent("grant.opened", Samples.Now)
        {
            Actor = "user:alice",
            Subject = "alice",
            ClientId = "web",
            SessionId = "s1",
            GrantId = "g1",
            Address = "2001:db8::1",
            Outcome = "invalid_grant",
            Detail = "refresh_reuse",
        };
        var later = full with { Type = "grant.ended" };
        var other = full with { GrantId = "G1" };

        await log.WriteAsync([full, other], Ct);
        await log.WriteAsync([later], Ct);
        await log.WriteAsync([], Ct);

        Assert.Equal([later, other, full], await log.LatestAsync(10, Ct));
        Assert.Equal([later], await log.LatestAsync(1, Ct));
        Assert.Equal([full, later], await log.OfGrantAsync("g1", Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task What_a_stranger_sent_is_cut_and_recorded(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var sent = new string('é', 1_000_000);
        var audit = new AuditEvent("t", Samples.Now)
        {
            Actor = "client:" + sent,
            Subject = sent,
            ClientId = "a\0b" + sent,
            SessionId = sent,
            GrantId = sent,
            Address = sent,
            Outcome = sent,
            Detail = sent,
        };

        await storage.Get<IAuditLog>().WriteAsync([audit], Ct);

        var found = Assert.Single(await storage.Get<IAuditLog>().LatestAsync(1, Ct));
        Assert.StartsWith("a?bé", found.ClientId, StringComparison.Ordinal);
        Assert.Equal(400, found.Detail!.Length);
    }
}
