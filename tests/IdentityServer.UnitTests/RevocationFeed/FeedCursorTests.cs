using FsCheck;
using FsCheck.Fluent;
using IdentityServer.Protocol.RevocationFeed;

namespace IdentityServer.UnitTests.RevocationFeed;

/// <summary>A cursor is read as it was written, and nothing else is one.</summary>
public sealed class FeedCursorTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeMilliseconds(1_800_000_000_123);

    [Fact]
    public void What_is_written_is_read_again() => Prop.ForAll(
        ArbMap.Default.ArbFor<NonNegativeInt>(),
        ArbMap.Default.ArbFor<NonNegativeInt>(),
        (sequence, milliseconds) =>
        {
            var cursor = new FeedCursor((long)sequence.Get << 31, DateTimeOffset.FromUnixTimeMilliseconds((long)milliseconds.Get << 16));
            return FeedCursor.Parse(cursor.ToString()) == cursor;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Any_other_text_is_none_and_breaks_nothing() => Prop.ForAll(
        ArbMap.Default.ArbFor<string?>(),
        text => FeedCursor.Parse(text ?? "") is not { } cursor || FeedCursor.Parse(cursor.ToString()) == cursor)
        .QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("1.")]
    [InlineData(".1")]
    [InlineData("-1.1")]
    [InlineData("1.2.3")]
    [InlineData("1.-2")]
    [InlineData(" 1.2")]
    [InlineData("1.253402300800000")]
    [InlineData("99999999999999999999.1")]
    public void These_are_none(string text) => Assert.Null(FeedCursor.Parse(text));

    [Theory]
    [InlineData(100, 0, 100, true)]
    [InlineData(100, 0, 99, false)]
    [InlineData(100, 0, 0, true)]
    [InlineData(100, -20, 100, true)]
    [InlineData(100, -21, 100, false)]
    [InlineData(100, 1, 100, true)]
    [InlineData(100, 2, 100, false)]
    public void It_is_known_while_the_log_reaches_back_to_it(long sequence, int hours, long latest, bool isKnown) =>
        Assert.Equal(isKnown, new FeedCursor(sequence, Now.AddHours(hours)).IsKnown(latest, Now));
}
