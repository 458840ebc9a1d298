using IdentityServer.Admin;
using IdentityServer.Configuration;
using IdentityServer.Jobs;
using IdentityServer.Keys;
using IdentityServer.Mail;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Keys;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Risk;
using IdentityServer.SignIn;
using IdentityServer.Storage;
using IdentityServer.Storage.Schema;

namespace IdentityServer.Commands;

/// <summary>The configured database, opened for one command: no web server, no caches; the master key only where it is asked for.</summary>
internal sealed class CommandSession : IAsyncDisposable
{
    private readonly IHost _host;
    private readonly AsyncServiceScope _scope;

    private CommandSession(IHost host, ServerSettings settings)
    {
        _host = host;
        _scope = host.Services.CreateAsyncScope();
        Settings = settings;
    }

    public ServerSettings Settings { get; }

    public DateTimeOffset Now => Get<TimeProvider>().GetUtcNow();

    public bool IsDevelopment => Get<IHostEnvironment>().IsDevelopment();

    /// <summary>Opens it whatever its schema is.</summary>
    /// <exception cref="SettingsException">A setting is wrong.</exception>
    public static CommandSession Open()
    {
        var builder = ServerFolders.CommandBuilder();
        return Open(builder, SettingsReader.Read(builder.Configuration, builder.Environment));
    }

    /// <summary>The same with settings that were read already.</summary>
    public static CommandSession Open(HostApplicationBuilder builder, ServerSettings settings)
    {
        builder.Logging
            .AddSimpleConsole(console => console.SingleLine = true)
            .AddFilter((category, level) => level >= LogLevel.Warning && category?.StartsWith("IdentityServer", StringComparison.Ordinal) == true);
        builder.Logging.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
            console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services.AddSingleton(settings);
        builder.Services.AddIdentityServerStorage(settings.Database.ToStorageOptions());
        builder.Services.AddPasswords(settings);
        builder.Services.AddMasterKey();
        builder.Services.AddSingleton(settings.Keys.ToPolicy());
        builder.Services.AddSingleton<RsaKeys>();
        builder.Services.AddSingleton<KeyFactory>();
        builder.Services.AddSingleton<ICronCalendar, CronTime>();
        builder.Services.AddKeyRollover();
        builder.Services.AddSingleton<RevocationList>();
        builder.Services.AddSingleton<Revoker>();
        builder.Services.AddSingleton(new ProtocolOptions { Issuer = settings.Issuer });
        builder.Services.AddDataProtectionRing();
        builder.Services.AddMailWriting();
        builder.Services.AddSingleton<PersonHelp>();
        builder.Services.AddSingleton<EndingHelp>();
        builder.Services.AddLocator(settings.Risk);
        return new CommandSession(builder.Build(), settings);
    }

    /// <summary>Opens it and makes sure that the schema is this server's; Development brings it up by itself.</summary>
    public static async Task<CommandSession> OpenCurrentAsync(CancellationToken ct)
    {
        var session = Open();
        try
        {
            await session.RequireSchemaAsync(ct);
            return session;
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    public T Get<T>()
        where T : notnull => _scope.ServiceProvider.GetRequiredService<T>();

    /// <summary>An audit event of this command line.</summary>
    public AuditEvent Audit(string type, string? clientId = null, string? detail = null) =>
        new(type, Now) { Actor = "cli", ClientId = clientId, Detail = detail };

    public async ValueTask DisposeAsync()
    {
        await _scope.DisposeAsync();
        if (_host is IAsyncDisposable host)
        {
            await host.DisposeAsync();
        }
    }

    private async Task RequireSchemaAsync(CancellationToken ct)
    {
        var schema = Get<DatabaseSchema>();
        var status = await schema.StatusAsync(ct);
        if (status.IsNewer)
        {
            throw new CommandException(
                ExitCodes.Database,
                $"The database was migrated by a newer server (it has {string.Join(", ", status.Unknown)}). Use that version.");
        }

        if (status.IsCurrent)
        {
            return;
        }

        if (!IsDevelopment)
        {
            throw new CommandException(
                ExitCodes.Database,
                $"The database needs {status.Pending.Count} migration(s) first. Run: identityserver migrate up");
        }

        await schema.MigrateAsync(ct);
    }
}
