using System.Text;
using IdentityServer.Keys;

namespace IdentityServer.ProtocolTests.Keys;

public sealed class MasterKeyTests : IDisposable
{
    private static readonly byte[] Secret = Encoding.UTF8.GetBytes("a private key");

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("master-key-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_key_reads_back_as_it_was_written(bool isForDevelopment)
    {
        var key = MasterKey.Create(isForDevelopment);
        var path = Path.Combine(_folder.FullName, "deep", "master.key");

        Assert.True(MasterKeyFile.TryWriteNew(path, key));
        var read = MasterKeyFile.Read(path);

        Assert.Equal(key.Id, read.Id);
        Assert.Equal(isForDevelopment, read.IsForDevelopment);
        Assert.False(MasterKeyFile.IsOpenToOthers(path));
        Assert.True(new MasterKeyProtector(read).TryOpen(new MasterKeyProtector(key).Seal(Secret, "place"), "place", out var opened));
        Assert.Equal(Secret, opened);
    }

    [Fact]
    public void A_file_is_never_overwritten_and_nothing_is_left_beside_it()
    {
        var path = Path.Combine(_folder.FullName, "master.key");
        File.WriteAllText(path, "mine");

        Assert.False(MasterKeyFile.TryWriteNew(path, MasterKey.Create(isForDevelopment: false)));
        Assert.Equal("mine", File.ReadAllText(path));
        Assert.Single(_folder.GetFiles());
    }

    [Theory]
    [InlineData("", "is no master key")]
    [InlineData("hello", "is no master key")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "holds a PRIVATE KEY")]
    [InlineData("-----BEGIN IDENTITYSERVER MASTER KEY-----\nAAAA\n-----END IDENTITYSERVER MASTER KEY-----\n", "damaged or cut off")]
    [InlineData("-----BEGIN IDENTITYSERVER MASTER KEY-----\n\n-----END IDENTITYSERVER MASTER KEY-----\n", "damaged or cut off")]
    [InlineData("-----BEGIN IDENTITYSERVER MASTER KEY-----\n3q2+7w==", "damaged or cut off")]
    [InlineData("-----BEGIN IDENTITYSERVER MASTER KEY-----\n!!!!\n-----END IDENTITYSERVER MASTER KEY-----\n", "damaged or cut off")]
    public void A_file_that_holds_no_whole_key_is_explained(string content, string reason)
    {
        var path = Path.Combine(_folder.FullName, "master.key");
        File.WriteAllText(path, content);

        var error = Assert.Throws<MasterKeyException>(() => MasterKeyFile.Read(path));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_a_folder_and_a_huge_file_are_explained()
    {
        Assert.Contains("There is no file", Message(Path.Combine(_folder.FullName, "none")), StringComparison.Ordinal);
        Assert.Contains("is a folder", Message(_folder.FullName), StringComparison.Ordinal);
        var large = Path.Combine(_folder.FullName, "large");
        File.WriteAllText(large, new string('x', 100_000));
        Assert.Contains("too large", Message(large), StringComparison.Ordinal);
    }

    [Fact]
    public void Modes_and_folders_give_a_careless_key_away()
    {
        var path = Path.Combine(_folder.FullName, "keys-dev", "master.key");
        Assert.True(MasterKeyFile.TryWriteNew(path, MasterKey.Create(isForDevelopment: true)));
        var link = Path.Combine(_folder.FullName, "link.key");
        File.CreateSymbolicLink(link, path);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.GroupRead);
            Assert.True(MasterKeyFile.IsOpenToOthers(path));
        }

        Assert.True(MasterKeyFile.IsInDevelopmentFolder(path));
        Assert.True(MasterKeyFile.IsInDevelopmentFolder(link));
        Assert.False(MasterKeyFile.IsInDevelopmentFolder("/etc/identity/master.key"));
    }

    [Fact]
    public void A_box_opens_at_its_place_with_its_key_and_unchanged_only()
    {
        var key = MasterKey.Create(isForDevelopment: false);
        var protector = new MasterKeyProtector(key);
        var box = protector.Seal(Secret, "here");

        Assert.False(protector.TryOpen(box, "there", out _));
        Assert.False(new MasterKeyProtector(MasterKey.Create(isForDevelopment: false)).TryOpen(box, "here", out _));
        for (var index = 0; index < box.Length; index++)
        {
            var changed = box.ToArray();
            changed[index] ^= 1;
            Assert.False(protector.TryOpen(changed, "here", out _), $"Byte {index} may be changed.");
        }

        for (var length = 0; length < box.Length; length++)
        {
            Assert.False(protector.TryOpen(box.AsSpan(0, length), "here", out _), $"{length} bytes open.");
        }

        Assert.True(protector.TryOpen(box, "here", out var opened));
        Assert.Equal(Secret, opened);
    }

    [Fact]
    public void Two_boxes_of_one_secret_differ_and_an_empty_secret_is_one()
    {
        var protector = new MasterKeyProtector(MasterKey.Create(isForDevelopment: false));

        Assert.NotEqual(protector.Seal(Secret, "here"), protector.Seal(Secret, "here"));
        Assert.True(protector.TryOpen(protector.Seal([], "here"), "here", out var nothing));
        Assert.Empty(nothing);
    }

    [Fact]
    public void The_id_is_public_and_the_key_keeps_its_secret()
    {
        var key = new MasterKey(new byte[MasterKey.Length], isForDevelopment: false);

        Assert.Matches("^[0-9a-f]{16}$", key.Id);
        Assert.Equal($"master key {key.Id}", key.ToString());
        Assert.Throws<ArgumentException>(() => new MasterKey(new byte[31], isForDevelopment: false));
    }

    private static string Message(string path) => Assert.Throws<MasterKeyException>(() => MasterKeyFile.Read(path)).Message;
}
