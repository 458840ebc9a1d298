using IdentityServer.Configuration;
using IdentityServer.Protocol.Keys;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace IdentityServer.Keys;

/// <summary>Finds the master keys for a start, and refuses the wrong ones.</summary>
public sealed partial class MasterKeyLoader(
    ServerSettings settings, IHostEnvironment environment, SealedKeys sealedKeys, TimeProvider clock, ILogger<MasterKeyLoader> logger)
{
    private readonly IReadOnlyList<MasterKeySource> _sources = MasterKeySource.AllOf(settings.MasterKey);
    private MasterKeyProtector? _loaded;
    private MasterKey? _sealing;

    /// <summary>Seals and opens with the keys that <see cref="LoadAsync"/> found.</summary>
    public MasterKeyProtector Current => _loaded ?? throw new InvalidOperationException("LoadAsync comes first.");

    /// <summary>Reads the keys; in Development makes one for a database that holds nothing sealed. The schema must be current.</summary>
    /// <exception cref="MasterKeyException">A key is missing, damaged, expired, or not for this environment.</exception>
    public async Task LoadAsync(CancellationToken ct)
    {
        if (environment.IsDevelopment() && _sources[0] is { IsFile: true, Path: var path } && !Path.Exists(path))
        {
            await MakeForDevelopmentAsync(path, ct);
        }

        try
        {
            var keys = _sources.Select(Read).ToArray();
            _sealing = keys[0];
            _loaded = new MasterKeyProtector(_sealing, keys[1..]);
            WarnOfEnd();
        }
        catch (MasterKeyException error) when (_loaded is null)
        {
            var closed = (await sealedKeys.ExamineAsync(null, ct)).Where(key => key.IsNeeded).ToArray();
            throw closed.Length == 0 ? error : new MasterKeyException(
                $"""
                {error.Message}

                Until then this stays closed; nothing was changed, and no new key was made to get going:

                {SealedKeys.Describe(closed)}
                """);
        }
    }

    /// <summary>Makes sure that everything in the database opens that the server needs.</summary>
    /// <exception cref="MasterKeyException">Something does not; it names each.</exception>
    public async Task RequireAllOpenAsync(CancellationToken ct)
    {
        var closed = (await sealedKeys.ExamineAsync(Current, ct)).Where(key => key is { IsOpen: false, IsNeeded: true }).ToArray();
        if (closed.Length > 0)
        {
            throw new MasterKeyException(
                $"""
                The master key {string.Join(" and ", Current.KnownIds)} does not open everything in the database. Nothing was changed, and no new key was made to get going:

                {SealedKeys.Describe(closed)}

                {Advice(closed)}
                """);
        }
    }

    /// <summary>Logs that the certificate of the key that seals is near its end, or past it, and says so; <see langword="null"/>: it is not.</summary>
    public string? WarnOfEnd()
    {
        if (_sealing?.Term is not { } term || term.Until - clock.GetUtcNow() >= MasterKeySource.EndIsNear)
        {
            return null;
        }

        var until = MasterKeySource.Shown(term.Until);
        LogNearEnd(logger, _sealing.Id, until);
        return $"The certificate of the master key expires on {until}.";
    }

    /// <summary>What to do about keys that do not open.</summary>
    public static string Advice(IReadOnlyCollection<SealedKey> closed)
    {
        var missing = closed.Where(key => key.Fault is null).Select(key => key.MasterKeyId).Distinct(StringComparer.Ordinal).ToArray();
        var advice = new List<string>();
        if (missing.Length > 0)
        {
            advice.Add(
                $"Name the master key {string.Join(" and ", missing)} as {SettingsReader.MasterKeyKey} or, while changing over, as "
                + $"{SettingsReader.MasterKeyKey}:Previous:0.");
        }

        if (closed.Any(key => key.Fault is not null))
        {
            advice.Add("What is damaged has to come back from a backup of the database.");
        }

        return string.Join(' ', advice);
    }

    private MasterKey Read(MasterKeySource source)
    {
        var key = source.ReadFor(environment);
        foreach (var path in source.Files.Where(MasterKeyFile.IsOpenToOthers))
        {
            LogOpen(logger, path);
        }

        // A previous key is there to be got rid of: how long it is good for is no question any more.
        if (source != _sources[0])
        {
            return key;
        }

        return source.TermFault(key, clock.GetUtcNow()) is { } fault ? throw new MasterKeyException(fault) : key;
    }

    // A key is made only for a database that holds nothing sealed: it must never hide that the right one was lost [K2].
    private async Task MakeForDevelopmentAsync(string path, CancellationToken ct)
    {
        var closed = await sealedKeys.ExamineAsync(null, ct);
        if (closed.Count > 0)
        {
            throw new MasterKeyException(
                $"""
                There is no master key at {path}, but the database holds what one sealed:

                {SealedKeys.Describe(closed)}

                No new key was made. Put the key back; or, if nothing in that database matters, remove the database and start again.
                """);
        }

        var made = MasterKey.Create(isForDevelopment: true);
        if (MasterKeyFile.TryWriteNew(path, made))
        {
            LogMade(logger, made.Id, path);
        }
    }

    [LoggerMessage(3001, LogLevel.Warning, "The file {Path} is open to others than its owner. Mend it with: chmod 600 {Path}")]
    private static partial void LogOpen(ILogger logger, string path);

    [LoggerMessage(3002, LogLevel.Information, "Made the development master key {MasterKeyId} at {Path}.")]
    private static partial void LogMade(ILogger logger, string masterKeyId, string path);

    [LoggerMessage(3003, LogLevel.Warning,
        "The certificate of the master key {MasterKeyId} expires on {Until}; from then on no start succeeds with it. Renew it with the same private key, or rotate the master key.")]
    private static partial void LogNearEnd(ILogger logger, string masterKeyId, string until);
}

/// <summary>Registers the master key and what seals under it.</summary>
public static class MasterKeyServices
{
    /// <summary><see cref="MasterKeyLoader.LoadAsync"/> must run once before anything is sealed or opened.</summary>
    public static IServiceCollection AddMasterKey(this IServiceCollection services)
    {
        services.TryAddSingleton<RsaKeys>();
        services.TryAddSingleton<KeyFactory>();
        return services
            .AddSingleton<SealedKeys>()
            .AddSingleton<MasterKeyLoader>()
            .AddSingleton(provider => provider.GetRequiredService<MasterKeyLoader>().Current)
            .AddSingleton<IKeyProtector>(provider => provider.GetRequiredService<MasterKeyProtector>())
            .AddSingleton<Resealing>();
    }
}
