using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using IdentityServer.ResourceServer.Revocations;

namespace IdentityServer.ProtocolTests.ResourceServer;

/// <summary>A snapshot is read as it arrives, in whatever pieces, and a part of one is never taken for the whole.</summary>
public sealed class SnapshotReaderTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public void In_whatever_pieces_it_comes_the_same_is_read() => Prop.ForAll(
        Gen.Choose(0, 40).ToArbitrary(),
        Gen.Choose(1, 70).ToArbitrary(),
        (count, piece) =>
        {
            var (cursor, keys) = Read(Snapshot(count), piece);
            return cursor == "7.9" && keys.SequenceEqual(Enumerable.Range(0, count).Select(i => $"k{i}\"é"), StringComparer.Ordinal);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_part_of_one_is_none()
    {
        var whole = Snapshot(3);
        for (var length = 0; length < whole.Length; length++)
        {
            Assert.ThrowsAny<JsonException>(() => Read(whole[..length], 11));
        }
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"revocations":[]}""")]
    [InlineData("""{"cursor":"1.2","revocations":[{}]}""")]
    [InlineData("""{"cursor":"1.2","revocations":[{"kind":"token"}]}""")]
    public void Something_else_is_none(string text) => Assert.ThrowsAny<JsonException>(() => Read(Encoding.UTF8.GetBytes(text), 5));

    private static (string Cursor, List<string> Keys) Read(byte[] bytes, int piece)
    {
        var keys = new List<string>();
        var cursor = SnapshotReader.ReadAsync(new InPieces(bytes, piece), revocation => keys.Add(revocation.Key), Ct);
        return (cursor.GetAwaiter().GetResult(), keys);
    }

    private static byte[] Snapshot(int count) => Encoding.UTF8.GetBytes(new JsonObject
    {
        ["cursor"] = "7.9",
        ["at"] = 1,
        ["later"] = new JsonObject { ["cursor"] = "not this one" },
        ["revocations"] = new JsonArray(
            [.. Enumerable.Range(0, count).Select(i => new JsonObject
            {
                ["kind"] = "token",
                ["key"] = $"k{i}\"é",
                ["at"] = i,
                ["expires_at"] = 1_800_000_000_000,
                ["more"] = new JsonArray(1, new JsonObject()),
            })]),
    }.ToJsonString());

    private sealed class InPieces(byte[] bytes, int piece) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(piece, buffer.Length)], cancellationToken);
    }
}
