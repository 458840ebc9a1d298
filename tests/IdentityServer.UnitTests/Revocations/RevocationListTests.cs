using IdentityServer.Protocol.Revocations;

namespace IdentityServer.UnitTests.Revocations;

public sealed class RevocationListTests
{
    [Fact]
    public void A_million_take_less_than_two_hundred_megabytes()
    {
        var now = TimeProvider.System.GetUtcNow();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var list = new RevocationList(store: null!, TimeProvider.System);
        for (var i = 0; i < 1_000_000; i++)
        {
            list.Add(new Revocation(RevocationKind.Grant, $"aaaaaaaaaaaaaaa{i:0000000}", now, now.AddDays(1)));
        }

        var taken = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.Equal(1_000_000, list.Count);
        Assert.InRange(taken, 1, 200L * 1024 * 1024);
    }
}
