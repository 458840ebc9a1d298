using System.Runtime.Versioning;
using System.Text;
using IdentityServer.Configuration;

namespace IdentityServer.Keys;

/// <summary>The master key's file: how it is read, how a new one is written, who else can read it.</summary>
public static class MasterKeyFile
{
    private const string DevelopmentFolder = "keys-dev";
    private const int MaxLength = 64 * 1024;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OthersRead =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <summary>Reads a key in PEM.</summary>
    /// <exception cref="MasterKeyException">There is no such file, or it holds no master key.</exception>
    public static MasterKey Read(string path) => new MasterKeySource(new() { Path = path }, SettingsReader.MasterKeyKey).Read();

    /// <summary>The file's bytes; whoever asks erases them.</summary>
    /// <exception cref="MasterKeyException">There is no such file, or it is too large to be one.</exception>
    internal static byte[] ReadBytes(string path, string setting, int maxLength = MaxLength)
    {
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists)
            {
                throw new MasterKeyException(Directory.Exists(path)
                    ? $"The path {path} ({setting}) is a folder; name the file in it."
                    : $"There is no file {path} ({setting}). If this server ran before, put it back there"
                        + (MasterKeyPfx.HasItsName(path) ? "." : "; for a new server make a master key with: identityserver keys master-key new PATH"));
            }

            return file.Length <= maxLength
                ? File.ReadAllBytes(path)
                : throw new MasterKeyException($"The file {path} ({setting}) is too large to be one.");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new MasterKeyException($"The file {path} ({setting}) cannot be read: {error.Message}");
        }
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

    private static void Write(string path, MasterKey key)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }

        using var file = new FileStream(path, options);
        file.Write(Encoding.ASCII.GetBytes(MasterKeyPem.Write(key)));
        file.Flush(flushToDisk: true);
    }
}
