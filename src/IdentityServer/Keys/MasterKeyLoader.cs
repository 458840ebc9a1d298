using IdentityServer.Configuration;

namespace IdentityServer.Keys;

/// <summary>Finds the master key for a start, and refuses the wrong one.</summary>
public static partial class MasterKeyLoader
{
    /// <param name="settings">The checked settings.</param>
    /// <param name="environment">Only Development may use, or make, a development key.</param>
    /// <param name="sealedUnder">The master keys that the database names, or something else that says it holds sealed things; asked only before a key would be made.</param>
    /// <param name="logger">Hears of a file that others may read, and of a key that was made.</param>
    /// <param name="ct">Stops the wait for the database.</param>
    /// <exception cref="MasterKeyException">The key is missing, damaged, or not for this environment.</exception>
    public static async Task<MasterKey> LoadAsync(
        MasterKeySettings settings,
        IHostEnvironment environment,
        Func<CancellationToken, Task<IReadOnlyList<string>>> sealedUnder,
        ILogger logger,
        CancellationToken ct)
    {
        var path = settings.Path;
        if (!environment.IsDevelopment() && MasterKeyFile.IsInDevelopmentFolder(path))
        {
            throw ForDevelopmentOnly(path, environment);
        }

        if (environment.IsDevelopment() && !Path.Exists(path))
        {
            await MakeForDevelopmentAsync(path, sealedUnder, logger, ct);
        }

        var key = MasterKeyFile.Read(path);
        if (key.IsForDevelopment && !environment.IsDevelopment())
        {
            throw ForDevelopmentOnly(path, environment);
        }

        if (MasterKeyFile.IsOpenToOthers(path))
        {
            LogOpen(logger, path);
        }

        return key;
    }

    // A key is made only for a database that holds nothing sealed: it must never hide that the right one was lost [K2].
    private static async Task MakeForDevelopmentAsync(
        string path, Func<CancellationToken, Task<IReadOnlyList<string>>> sealedUnder, ILogger logger, CancellationToken ct)
    {
        var others = await sealedUnder(ct);
        if (others.Count > 0)
        {
            throw new MasterKeyException(
                $"There is no master key at {path}, but the database holds what was sealed under {string.Join(", ", others)}. "
                + "No new key was made. Put the key back, or, if nothing in that database matters, remove the database and start again.");
        }

        var made = MasterKey.Create(isForDevelopment: true);
        if (MasterKeyFile.TryWriteNew(path, made))
        {
            LogMade(logger, made.Id, path);
        }
    }

    private static MasterKeyException ForDevelopmentOnly(string path, IHostEnvironment environment) => new(
        $"The master key {path} is for Development only, and the environment is {environment.EnvironmentName}. "
        + "Make a real one with: identityserver keys master-key new PATH — and set IdentityServer:MasterKey:Path (IdentityServer__MasterKey__Path) to it.");

    [LoggerMessage(3001, LogLevel.Warning, "The master key file {Path} may be read by others than its owner. Mend it with: chmod 600 {Path}")]
    private static partial void LogOpen(ILogger logger, string path);

    [LoggerMessage(3002, LogLevel.Information, "Made the development master key {MasterKeyId} at {Path}.")]
    private static partial void LogMade(ILogger logger, string masterKeyId, string path);
}
