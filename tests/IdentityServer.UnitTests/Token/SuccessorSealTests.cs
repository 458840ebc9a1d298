using IdentityServer.Protocol;
using IdentityServer.Protocol.Token;

namespace IdentityServer.UnitTests.Token;

public sealed class SuccessorSealTests
{
    [Fact]
    public void Only_the_spent_token_itself_opens_its_successor()
    {
        var (spent, successor) = (Handle.Create().Text, Handle.Create().Text);
        var box = SuccessorSeal.Seal(spent, successor);

        Assert.Equal(successor, SuccessorSeal.Open(spent, box));
        Assert.Null(SuccessorSeal.Open(Handle.Create().Text, box));
        Assert.Null(SuccessorSeal.Open(Handle.HashOf(spent), box));
    }

    [Fact]
    public void A_changed_or_cut_box_stays_closed()
    {
        var spent = Handle.Create().Text;
        var box = SuccessorSeal.Seal(spent, Handle.Create().Text);
        Assert.All(Enumerable.Range(0, box.Length), i =>
        {
            var changed = box.ToArray();
            changed[i] ^= 1;
            Assert.Null(SuccessorSeal.Open(spent, changed));
            Assert.Null(SuccessorSeal.Open(spent, box.AsSpan(0, i)));
        });
    }
}
