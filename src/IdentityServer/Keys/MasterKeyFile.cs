using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;

namespace IdentityServer.Keys;

/// <summary>
/// The master key as a file: PEM (RFC 7468) with a label of our own. A development key carries another label, so that a copy of
/// it is recognised wherever it turns up.
/// </summary>
public static class MasterKeyFile
{
    private const string Label = "IDENTITYSERVER MASTER KEY";
    private const string DevelopmentLabel = "IDENTITYSERVER DEVELOPMENT MASTER KEY";
    private const string DevelopmentFolder = "keys-dev";
    private const int MaxLength = 16 * 1024;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OthersRead =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <exception cref="MasterKeyException">There is no such file, or it holds no master key.</exception>
    public static MasterKey Read(string path)
    {
        var text = ReadText(path);
        if (!PemEncoding.TryFind(text, out var fields))
        {
            throw new MasterKeyException(text.Contains("-----BEGIN IDENTITYSERVER", StringComparison.Ordinal)
                ? $"The master key file {path} is damaged or cut off. Restore it from your backup."
                : $"The file {path} is no master key. Make one with: identityserver keys master-key new PATH");
        }

        var label = text[fields.Label];
        if (label is not (Label or DevelopmentLabel))
        {
            throw new MasterKeyException(
                $"The file {path} holds a {label}, not a master key. Make one with: identityserver keys master-key new PATH");
        }

        var secret = Convert.FromBase64String(text[fields.Base64Data]);
        return secret.Length == MasterKey.Length
            ? new MasterKey(secret, isForDevelopment: label == DevelopmentLabel)
            : throw new MasterKeyException($"The master key file {path} is damaged or cut off. Restore it from your backup.");
    }

    /// <summary>Writes the key to a file that did not exist, readable by its owner only. False when there is a file already: it is never overwritten.</summary>
    /// <exception cref="MasterKeyException">The file cannot be written there.</exception>
    public static bool TryWriteNew(string path, MasterKey key)
    {
        // Written aside and then linked into place: another process never reads half a key.
        var aside = $"{path}.{Guid.NewGuid():N}.new";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            Write(aside, key);
            try
            {
                File.Move(aside, path, overwrite: false);
                return true;
            }
            catch (IOException) when (Path.Exists(path))
            {
                return false;
            }
            finally
            {
                File.Delete(aside);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new MasterKeyException($"The master key cannot be written to {path}: {error.Message}");
        }
    }

    /// <summary>True when the file lies in a folder for development keys, also by way of a link.</summary>
    public static bool IsInDevelopmentFolder(string path)
    {
        var target = File.Exists(path) ? File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName : null;
        return Holds(Path.GetFullPath(path)) || (target is not null && Holds(target));

        static bool Holds(string full) => full.Split(Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar)
            .Contains(DevelopmentFolder, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>True when others than the file's owner may read or change it. Always false where files have no such modes.</summary>
    public static bool IsOpenToOthers(string path) => !OperatingSystem.IsWindows() && (Mode(path) & OthersRead) != UnixFileMode.None;

    [UnsupportedOSPlatform("windows")]
    private static UnixFileMode Mode(string path) => File.GetUnixFileMode(path);

    private static string ReadText(string path)
    {
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists)
            {
                throw new MasterKeyException(Directory.Exists(path)
                    ? $"The master key path {path} is a folder; name the file in it."
                    : $"There is no master key at {path}. If this server ran before, put its key back there; for a new server make one with: identityserver keys master-key new {path}");
            }

            return file.Length <= MaxLength
                ? File.ReadAllText(path)
                : throw new MasterKeyException($"The file {path} is no master key: it is too large.");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new MasterKeyException($"The master key {path} cannot be read: {error.Message}");
        }
    }

    private static void Write(string path, MasterKey key)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }

        var label = key.IsForDevelopment ? DevelopmentLabel : Label;
        using var file = new FileStream(path, options);
        file.Write(Encoding.ASCII.GetBytes(
            $"""
            IdentityServer master key {key.Id}. Whoever has this file can open every signing key; without it nobody can.
            -----BEGIN {label}-----
            {key.ToBase64()}
            -----END {label}-----

            """.ReplaceLineEndings("\n")));
        file.Flush(flushToDisk: true);
    }
}
