using IdentityServer.Configuration;
using IdentityServer.Protocol.Keys;
using Microsoft.AspNetCore.DataProtection.Repositories;

namespace IdentityServer.Keys;

/// <summary>Finds the master key for a start, and refuses the wrong one.</summary>
public sealed partial class MasterKeyLoader(
    ServerSettings settings, IHostEnvironment environment, IKeyStore keys, IXmlRepository ring, ILogger<MasterKeyLoader> logger)
{
    private readonly string _path = settings.MasterKey.Path;
    private MasterKeyProtector? _loaded;

    /// <summary>Seals under the key that <see cref="LoadAsync"/> found.</summary>
    public IKeyProtector Current => _loaded ?? throw new InvalidOperationException("LoadAsync comes first.");

    /// <summary>Reads the key; in Development makes one for a database that holds nothing sealed. The schema must be current.</summary>
    /// <exception cref="MasterKeyException">The key is missing, damaged, or not for this environment.</exception>
    public async Task LoadAsync(CancellationToken ct)
    {
        if (!environment.IsDevelopment() && MasterKeyFile.IsInDevelopmentFolder(_path))
        {
            throw ForDevelopmentOnly();
        }

        if (environment.IsDevelopment() && !Path.Exists(_path))
        {
            await MakeForDevelopmentAsync(ct);
        }

        var key = MasterKeyFile.Read(_path);
        if (key.IsForDevelopment && !environment.IsDevelopment())
        {
            throw ForDevelopmentOnly();
        }

        if (MasterKeyFile.IsOpenToOthers(_path))
        {
            LogOpen(logger, _path);
        }

        _loaded = new MasterKeyProtector(key);
    }

    // A key is made only for a database that holds nothing sealed: it must never hide that the right one was lost [K2].
    private async Task MakeForDevelopmentAsync(CancellationToken ct)
    {
        var signing = (await keys.ListAsync(ct)).Where(key => key.SealedPrivateKey is not null).ToArray();
        if (signing.Length > 0 || ring.GetAllElements().Count > 0)
        {
            var names = signing.Select(key => $"signing key {key.Kid}, under master key {key.MasterKeyId}")
                .DefaultIfEmpty("the Data Protection keys");
            throw new MasterKeyException(
                $"There is no master key at {_path}, but the database holds what one sealed: {string.Join("; ", names)}. "
                + "No new key was made. Put the key back; or, if nothing in that database matters, remove the database and start again.");
        }

        var made = MasterKey.Create(isForDevelopment: true);
        if (MasterKeyFile.TryWriteNew(_path, made))
        {
            LogMade(logger, made.Id, _path);
        }
    }

    private MasterKeyException ForDevelopmentOnly() => new(
        $"The master key {_path} is for Development only, and the environment is {environment.EnvironmentName}. "
        + "Make a real one with: identityserver keys master-key new PATH — and set IdentityServer:MasterKey:Path (IdentityServer__MasterKey__Path) to it.");

    [LoggerMessage(3001, LogLevel.Warning, "The master key file {Path} is open to others than its owner. Mend it with: chmod 600 {Path}")]
    private static partial void LogOpen(ILogger logger, string path);

    [LoggerMessage(3002, LogLevel.Information, "Made the development master key {MasterKeyId} at {Path}.")]
    private static partial void LogMade(ILogger logger, string masterKeyId, string path);
}

/// <summary>Registers the master key and what seals under it.</summary>
public static class MasterKeyServices
{
    /// <summary><see cref="MasterKeyLoader.LoadAsync"/> must run once before anything is sealed or opened.</summary>
    public static IServiceCollection AddMasterKey(this IServiceCollection services) => services
        .AddSingleton<MasterKeyLoader>()
        .AddSingleton<IKeyProtector>(provider => provider.GetRequiredService<MasterKeyLoader>().Current);
}
