using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using IdentityServer.Configuration;

namespace IdentityServer.Keys;

/// <summary>Where the settings say that one master key is, and how it is read from there.</summary>
/// <param name="settings">The group of settings.</param>
/// <param name="setting">Its name, e.g. <c>IdentityServer:MasterKey</c>.</param>
public sealed class MasterKeySource(MasterKeySourceSettings settings, string setting)
{
    /// <summary>How long before its end a certificate is worth a warning.</summary>
    public static readonly TimeSpan EndIsNear = TimeSpan.FromDays(30);

    private const int LongestPassword = 4096;

    /// <summary>The name of the group of settings.</summary>
    public string Setting => setting;

    /// <summary>For messages: the file, or the setting that holds the text.</summary>
    public string Place => IsFile ? Path : $"{setting}:Value";

    public bool IsFile => settings.Value.Length == 0;

    public string Path => settings.Path;

    /// <summary>The files that hold secrets.</summary>
    public IEnumerable<string> Files => new[] { settings.Path, settings.PasswordFile }.Where(path => path.Length > 0);

    /// <summary>The key that seals, then those that only open.</summary>
    public static IReadOnlyList<MasterKeySource> AllOf(MasterKeySettings settings) =>
    [
        new MasterKeySource(settings, SettingsReader.MasterKeyKey),
        .. settings.Previous.Select((previous, index) => new MasterKeySource(previous, $"{SettingsReader.MasterKeyKey}:Previous:{index}")),
    ];

    /// <summary>Reads the key, whatever its term.</summary>
    /// <exception cref="MasterKeyException">There is none, or it cannot be one.</exception>
    public MasterKey Read()
    {
        var content = IsFile ? MasterKeyFile.ReadBytes(settings.Path, setting) : Encoding.UTF8.GetBytes(WithNewlines(settings.Value));
        try
        {
            return IsFile && MasterKeyPfx.IsOne(settings.Path, content)
                ? ReadPfx(content)
                : ReadPem(content);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(content);
        }
    }

    /// <summary>The same, and refuses a key that was made for Development anywhere else.</summary>
    /// <exception cref="MasterKeyException">There is none, or it cannot be one here.</exception>
    public MasterKey ReadFor(IHostEnvironment environment)
    {
        if (environment.IsDevelopment())
        {
            return Read();
        }

        return (IsFile && MasterKeyFile.IsInDevelopmentFolder(settings.Path)) || Read() is not { IsForDevelopment: false } key
            ? throw new MasterKeyException(
                $"The master key {Place} is for Development only, and the environment is {environment.EnvironmentName}. Make a real one with: "
                + $"identityserver keys master-key new PATH — and set {setting}:Path ({setting.Replace(":", "__", StringComparison.Ordinal)}__Path) to it.")
            : key;
    }

    /// <summary>Why the key must not seal at this instant, or <see langword="null"/>.</summary>
    public string? TermFault(MasterKey key, DateTimeOffset now) => key.Term switch
    {
        { } term when now > term.Until =>
            $"The certificate of the master key {key.Id} ({Place}) expired on {Shown(term.Until)}. Go on in one of two ways: renew the "
            + "certificate with the same private key, which opens the same boxes; or change over to a new master key: set it as "
            + $"{SettingsReader.MasterKeyKey} and this one as {SettingsReader.MasterKeyKey}:Previous:0, where its term does not count, start, "
            + "and run: identityserver keys master-key rotate",
        { } term when now < term.From =>
            $"The certificate of the master key {key.Id} ({Place}) is not valid before {Shown(term.From)}. Check this machine's clock, or use "
            + "the master key that was used until now.",
        _ => null,
    };

    internal static string Shown(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private MasterKey ReadPem(byte[] content) => settings is { Password: "", PasswordFile: "" }
        ? MasterKeyPem.Read(content, IsFile ? $"The file {settings.Path}" : $"The setting {setting}:Value")
        : throw new MasterKeyException(
            $"The file {settings.Path} is no PKCS#12 file, and only these have a password. Remove "
            + $"{setting}:{(settings.Password.Length > 0 ? "Password" : "PasswordFile")}, or name the PKCS#12 file.");

    private MasterKey ReadPfx(byte[] content)
    {
        var password = settings.PasswordFile.Length > 0 ? ReadPassword() : settings.Password.ToCharArray();
        try
        {
            return MasterKeyPfx.Read(content, password, settings.Path, setting);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(System.Runtime.InteropServices.MemoryMarshal.AsBytes(password.AsSpan()));
        }
    }

    // Without the end of line that editors and echo add.
    private char[] ReadPassword()
    {
        var content = MasterKeyFile.ReadBytes(settings.PasswordFile, $"{setting}:PasswordFile", LongestPassword);
        try
        {
            var text = content.AsSpan();
            text = text.EndsWith("\n"u8) ? text[..^1] : text;
            text = text.EndsWith("\r"u8) ? text[..^1] : text;
            return new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetChars(content, 0, text.Length);
        }
        catch (DecoderFallbackException)
        {
            throw new MasterKeyException($"The file {settings.PasswordFile} ({setting}:PasswordFile) holds no text in UTF-8.");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(content);
        }
    }

    // Not every place for environment variables can hold the end of a line.
    private static string WithNewlines(string text) => text.Replace("\\n", "\n", StringComparison.Ordinal);
}
