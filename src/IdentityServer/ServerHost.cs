using System.Net;
using IdentityServer.Account;
using IdentityServer.Admin;
using IdentityServer.Configuration;
using IdentityServer.FirstRun;
using IdentityServer.Health;
using IdentityServer.Jobs;
using IdentityServer.Keys;
using IdentityServer.Logout;
using IdentityServer.Passkeys;
using IdentityServer.Mail;
using IdentityServer.Playground;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Keys;
using IdentityServer.Recovery;
using IdentityServer.SignIn;
using IdentityServer.Storage;
using IdentityServer.Storage.Schema;
using IdentityServer.Telemetry;

namespace IdentityServer;

/// <summary>The running server: what it is made of, and what must be true before it serves.</summary>
public static class ServerHost
{
    /// <summary>The server with everything registered, not started.</summary>
    /// <param name="args">Settings on the command line, as ASP.NET Core reads them.</param>
    /// <param name="configure">Last word for tests: another clock, other settings.</param>
    /// <exception cref="SettingsException">A setting is wrong.</exception>
    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateSlimBuilder(ServerFolders.HostOptions(args));
        builder.AddServerLogging();
        configure?.Invoke(builder);
        var settings = SettingsReader.Read(builder.Configuration, builder.Environment);

        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 256 * 1024;
        });
        AddServer(builder.Services, settings);

        return builder.Build();
    }

    /// <summary>Makes sure that schema and keys are right, loads memory, and lays the routes.</summary>
    /// <exception cref="StartException">Something an operator must mend first.</exception>
    /// <exception cref="MasterKeyException">The master key is missing, damaged, expired, not for this environment, or does not open every key.</exception>
    /// <exception cref="KeysUnreadableException">A signing key that another node added just now does not open.</exception>
    public static async Task PrepareAsync(WebApplication app, CancellationToken ct)
    {
        var schema = app.Services.GetRequiredService<DatabaseSchema>();
        if (app.Environment.IsDevelopment())
        {
            await schema.MigrateAsync(ct);
        }
        else
        {
            RequireCurrent(await schema.StatusAsync(ct));
        }

        var masterKey = app.Services.GetRequiredService<MasterKeyLoader>();
        await masterKey.LoadAsync(ct);
        await masterKey.RequireAllOpenAsync(ct);
        await app.Services.GetRequiredService<ChangeFeed>().LoadAsync(ct);

        // Last: what the routes stand on needs the master key.
        UseServer(app, app.Services.GetRequiredService<ServerSettings>());
    }

    private static void AddServer(IServiceCollection services, ServerSettings settings)
    {
        services.AddSingleton(settings);
        services.AddIdentityServerStorage(settings.Database.ToStorageOptions());
        services.AddMasterKey();
        services.AddDataProtectionRing();
        services.AddProtocol(new ProtocolOptions { Issuer = settings.Issuer, RefreshGrace = settings.Tokens.RefreshGrace }, settings.Keys.ToPolicy());
        services.AddSingleton<ICronCalendar, CronTime>();
        services.AddKeyRollover();
        services.AddSingleton<KeyGauges>();
        services.AddMetricsPage();
        services.AddSignIn(settings, settings.Issuer);
        services.AddPasskeys();
        services.AddAccountPages();
        services.AddAdmin();
        services.AddFirstRun();
        services.AddSingleton<OAuthRequestReader>();
        services.AddSingleton<ProtocolResponseWriter>();
        services.AddSingleton<CorsRules>();
        services.AddSingleton<ProtocolPipeline>();
        services.AddHostedService<ChangeFeedService>();
        services.AddJobs();
        services.AddMail();
        services.AddLogout();
        services.AddRecovery();
        services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(15));
    }

    private static void UseServer(WebApplication app, ServerSettings settings)
    {
        if (settings.Proxies.Trusted.Count > 0)
        {
            app.UseForwardedHeaders(ForwardedHeaders(settings.Proxies));
        }

        // Made here, or nobody would: gauges are asked by whoever listens.
        app.Services.GetRequiredService<KeyGauges>();
        app.Services.GetRequiredService<MailGauges>();
        var isHttps = CookieNames.AreSecure(settings.Issuer);
        app.UsePasskeys();
        app.UseRequestLog();
        app.UseProtocol(isHttps);
        app.UseAdminApi(isHttps);

        // The pages go around the headers: an error page starts a new answer, which needs them too.
        app.UseHostedPages();
        app.UseSecurityHeaders(isHttps);
        app.UseRouting();

        // Said here, or the host would run them around everything.
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseAntiforgery();
        app.MapProtocol();
        app.MapHealth();
        app.MapMetrics();
        app.MapSignIn();
        app.MapConsole();
        app.MapPlayground();
    }

    private static ForwardedHeadersOptions ForwardedHeaders(ProxySettings proxies)
    {
        var options = new ForwardedHeadersOptions
        {
            // The host is never taken from a request: addresses are made from the issuer alone.
            ForwardedHeaders = Microsoft.AspNetCore.HttpOverrides.ForwardedHeaders.XForwardedFor
                | Microsoft.AspNetCore.HttpOverrides.ForwardedHeaders.XForwardedProto,
        };
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        foreach (var trusted in proxies.Trusted)
        {
            if (IPAddress.TryParse(trusted, out var address))
            {
                options.KnownProxies.Add(address);
            }
            else
            {
                options.KnownIPNetworks.Add(System.Net.IPNetwork.Parse(trusted));
            }
        }

        return options;
    }

    private static void RequireCurrent(SchemaStatus status)
    {
        if (status.IsNewer)
        {
            throw new StartException(
                $"The database was migrated by a newer server (it has {string.Join(", ", status.Unknown)}). Start that version.");
        }

        if (!status.IsCurrent)
        {
            throw new StartException(
                $"The database needs {status.Pending.Count} migration(s) first: run identityserver migrate up. "
                + $"Pending: {string.Join(", ", status.Pending)}.");
        }
    }
}

/// <summary>The server does not start; the message tells the operator what to mend.</summary>
public sealed class StartException(string message) : Exception(message);
