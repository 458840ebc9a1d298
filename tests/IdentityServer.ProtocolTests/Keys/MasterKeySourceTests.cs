using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using IdentityServer.Configuration;
using IdentityServer.Keys;

namespace IdentityServer.ProtocolTests.Keys;

/// <summary>Where a master key may come from, and what is said of one that cannot be one.</summary>
public sealed class MasterKeySourceTests : IDisposable
{
    private const string Setting = "IdentityServer:MasterKey";

    // Of the private number 0x010203…20, worked out by another program: were it another one day, nobody's boxes would open.
    private const string KnownCurveKeyId = "12ad1c7964f4091e";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("master-key-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Every_file_of_a_key_pair_holds_the_same_master_key()
    {
        using var rsa = RSA.Create(2048);
        using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        foreach (var key in new AsymmetricAlgorithm[] { rsa, ec })
        {
            var first = Read(new() { Path = FileOf(Pfx.Of(key)), Password = Pfx.Password });
            var renewed = Read(new() { Path = FileOf(Pfx.Of(key, "another", until: TimeSpan.FromDays(800))), Password = "another" });
            var agreeing = Read(new() { Path = FileOf(Pfx.Of(key, usage: X509KeyUsageFlags.KeyAgreement)), Password = Pfx.Password });

            Assert.Equal(first.Id, renewed.Id);
            Assert.Equal(first.Id, agreeing.Id);
            Assert.NotEqual(first.Term, renewed.Term);
            Assert.False(first.IsForDevelopment);
            var box = new MasterKeyProtector(first).Seal("a private key"u8, "place");
            Assert.True(new MasterKeyProtector(renewed).TryOpen(box, "place", out _));
        }
    }

    [Fact]
    public void Another_key_pair_is_another_master_key()
    {
        using var one = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var larger = ECDsa.Create(ECCurve.NamedCurves.nistP384);

        var ids = new[] { one, other, larger }.Select(key => Read(new() { Path = FileOf(Pfx.Of(key)), Password = Pfx.Password }).Id);
        Assert.Equal(3, ids.Distinct(StringComparer.Ordinal).Count());
    }

    /// <summary>RSA files differ in the private exponent (modulo λ or φ) and in the order of the primes.</summary>
    [Fact]
    public void The_order_of_the_primes_and_the_kind_of_exponent_do_not_matter()
    {
        using var rsa = RSA.Create(2048);
        var parameters = rsa.ExportParameters(includePrivateParameters: true);
        using var turned = new ForeignRsa(parameters with
        {
            P = parameters.Q,
            Q = [0, .. parameters.P!],
            D = [.. Enumerable.Repeat((byte)7, 256)],
        });

        Assert.Equal(MasterKeyPfx.Derive(rsa, "file"), MasterKeyPfx.Derive(turned, "file"));
    }

    [Fact]
    public void The_derived_key_stays_what_it_is()
    {
        var number = Enumerable.Range(1, 32).Select(i => (byte)i).ToArray();
        using var key = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = number });

        Assert.Equal(KnownCurveKeyId, Read(new() { Path = FileOf(Pfx.Of(key)), Password = Pfx.Password }).Id);
    }

    [Fact]
    public void The_password_may_stand_in_a_file_and_may_be_none()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var expected = Read(new() { Path = FileOf(Pfx.Of(key)), Password = Pfx.Password }).Id;

        foreach (var written in new[] { " grün ", " grün \n", " grün \r\n" })
        {
            var password = FileOf(Encoding.UTF8.GetBytes(written), "password");
            Assert.Equal(expected, Read(new() { Path = FileOf(Pfx.Of(key, " grün ")), PasswordFile = password }).Id);
        }

        Assert.Equal(expected, Read(new() { Path = FileOf(Pfx.WithSlowPassword(key)), Password = Pfx.Password }).Id);
        Assert.Equal(expected, Read(new() { Path = FileOf(Pfx.Of(key, null)) }).Id);
        Assert.Equal(expected, Read(new() { Path = FileOf(Pfx.Of(key, "")) }).Id);
    }

    [Fact]
    public void A_PKCS12_file_is_known_by_its_content_where_a_mount_gives_it_another_name()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var content = Pfx.Of(key);

        Assert.Equal(
            Read(new() { Path = FileOf(content), Password = Pfx.Password }).Id,
            Read(new() { Path = FileOf(content, "master_key"), Password = Pfx.Password }).Id);
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\\n")]
    [InlineData("\r\n")]
    public void The_text_itself_may_be_the_setting(string end)
    {
        var path = Path.Combine(_folder.FullName, "master.key");
        var key = MasterKey.Create(isForDevelopment: false);
        MasterKeyFile.TryWriteNew(path, key);

        var text = File.ReadAllText(path).TrimEnd().Replace("\n", end, StringComparison.Ordinal);
        Assert.Equal(key.Id, Read(new() { Value = text }).Id);
    }

    [Theory]
    [InlineData("secret words", "is no master key")]
    [InlineData("-----BEGIN IDENTITYSERVER MASTER KEY-----\\nc2VjcmV0IHdvcmRz\\n-----END IDENTITYSERVER MASTER KEY-----", "damaged or cut off")]
    [InlineData("-----BEGIN IDENTITYSERVER MASTER KEY-----\\nc2VjcmV0IHdvcmRz", "damaged or cut off")]
    public void A_text_that_is_no_master_key_is_refused_without_repeating_it(string text, string reason)
    {
        var message = Message(new() { Value = text });

        Assert.Contains(reason, message, StringComparison.Ordinal);
        Assert.Contains($"{Setting}:Value", message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret words", message, StringComparison.Ordinal);
        Assert.DoesNotContain("c2VjcmV0", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_or_missing_password_is_told_apart_from_a_damaged_file_and_not_repeated()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var content = Pfx.Of(key);
        var path = FileOf(content);

        AssertSays("has a password", new() { Path = path });
        AssertSays("does not open", new() { Path = path, Password = "wrong-secret" });
        AssertSays("does not open", new() { Path = path, PasswordFile = FileOf("wrong-secret"u8, "password") });
        for (var length = 0; length < content.Length; length += 40)
        {
            AssertSays("damaged or cut off", new() { Path = FileOf(content.AsSpan(0, length)), Password = Pfx.Password });
        }

        AssertSays("damaged or cut off", new() { Path = FileOf("-----BEGIN CERTIFICATE-----"u8), Password = Pfx.Password });
        var changed = content.ToArray();
        changed[changed.Length / 2] ^= 1;
        AssertSays("damaged", new() { Path = FileOf(changed), Password = Pfx.Password });
        AssertSays("is no PKCS#12 file", new() { Path = PemFile(), Password = Pfx.Password });
        AssertSays("is no PKCS#12 file", new() { Path = PemFile(), PasswordFile = FileOf("wrong-secret"u8, "password") });
    }

    [Fact]
    public void A_file_without_a_private_key_or_with_two_is_refused()
    {
        using var one = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = RSA.Create(2048);

        AssertSays("no certificate with its private key", new() { Path = FileOf(Pfx.WithoutPrivateKey(one)), Password = Pfx.Password });
        AssertSays("holds 2 private keys", new() { Path = FileOf(Pfx.OfBoth(one, other)), Password = Pfx.Password });
    }

    [Fact]
    public void A_weak_key_is_refused()
    {
        using var rsa = RSA.Create(1024);

        AssertSays("1024 bits", new() { Path = FileOf(Pfx.Of(rsa)), Password = Pfx.Password });
    }

    [Fact]
    public void A_key_that_cannot_be_exported_is_refused()
    {
        using var key = new ForeignRsa(null);

        var error = Assert.Throws<MasterKeyException>(() => MasterKeyPfx.Derive(key, "the-file"));
        Assert.Contains("cannot be exported", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_files_and_folders_are_named_with_their_setting()
    {
        var none = Path.Combine(_folder.FullName, "none.pfx");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        Assert.Contains($"{none} ({Setting})", AssertSays("There is no file", new() { Path = none }), StringComparison.Ordinal);
        Assert.DoesNotContain("master-key new", Message(new() { Path = none }), StringComparison.Ordinal);
        AssertSays("is a folder", new() { Path = _folder.FullName });
        AssertSays($"{Setting}:PasswordFile", new() { Path = FileOf(Pfx.Of(key)), PasswordFile = none });
        AssertSays("is a folder", new() { Path = FileOf(Pfx.Of(key)), PasswordFile = _folder.FullName });
        AssertSays("too large", new() { Path = FileOf(Pfx.Of(key)), PasswordFile = FileOf(new byte[10_000], "password") });
        AssertSays("no text", new() { Path = FileOf(Pfx.Of(key)), PasswordFile = FileOf([0xff, 0xfe], "password") });
    }

    [Fact]
    public void A_certificate_has_a_term_and_a_key_in_PEM_has_none()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var source = Source(new() { Path = FileOf(Pfx.Of(key)), Password = Pfx.Password });
        var read = source.Read();
        var term = read.Term!;

        Assert.Null(source.TermFault(read, term.From));
        Assert.Null(source.TermFault(read, term.Until));
        var early = source.TermFault(read, term.From.AddSeconds(-1))!;
        Assert.Contains("not valid before", early, StringComparison.Ordinal);
        var late = source.TermFault(read, term.Until.AddSeconds(1))!;
        Assert.Contains($"expired on {term.Until.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z", late, StringComparison.Ordinal);
        Assert.Contains("same private key", late, StringComparison.Ordinal);
        Assert.Contains("keys master-key rotate", late, StringComparison.Ordinal);
        Assert.Null(Read(new() { Path = PemFile() }).Term);
    }

    private static MasterKeySource Source(MasterKeySourceSettings settings) => new(settings, Setting);

    private static MasterKey Read(MasterKeySourceSettings settings) => Source(settings).Read();

    private static string Message(MasterKeySourceSettings settings) =>
        Assert.Throws<MasterKeyException>(() => Read(settings)).Message;

    private static string AssertSays(string reason, MasterKeySourceSettings settings)
    {
        var message = Message(settings);
        Assert.Contains(reason, message, StringComparison.Ordinal);
        Assert.DoesNotContain(Pfx.Password, message, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong-secret", message, StringComparison.Ordinal);
        return message;
    }

    private string PemFile()
    {
        var path = Path.Combine(_folder.FullName, Path.GetRandomFileName());
        MasterKeyFile.TryWriteNew(path, MasterKey.Create(isForDevelopment: false));
        return path;
    }

    private string FileOf(ReadOnlySpan<byte> content, string name = "master.pfx")
    {
        var folder = _folder.CreateSubdirectory(Path.GetRandomFileName());
        var path = Path.Combine(folder.FullName, name);
        File.WriteAllBytes(path, content);
        return path;
    }

    /// <summary>A key of another library, with its own way to export.</summary>
    private sealed class ForeignRsa(RSAParameters? parameters) : RSA
    {
        public override int KeySize => 2048;

        public override RSAParameters ExportParameters(bool includePrivateParameters) =>
            parameters ?? throw new CryptographicException("The key is kept inside.");

        public override void ImportParameters(RSAParameters parameters) => throw new NotSupportedException();
    }
}
