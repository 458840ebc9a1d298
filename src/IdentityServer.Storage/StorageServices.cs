using System.Data.Common;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Consents;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Keys;
using IdentityServer.Protocol.Pending;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Protocol.Scopes;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Protocol.Subjects;
using IdentityServer.Storage.Accounts;
using IdentityServer.Storage.Audit;
using IdentityServer.Storage.Changes;
using IdentityServer.Storage.Cleanup;
using IdentityServer.Storage.Clients;
using IdentityServer.Storage.Consents;
using IdentityServer.Storage.DataProtection;
using IdentityServer.Storage.Deeds;
using IdentityServer.Storage.Devices;
using IdentityServer.Storage.Factors;
using IdentityServer.Storage.Grants;
using IdentityServer.Storage.Jobs;
using IdentityServer.Storage.Keys;
using IdentityServer.Storage.Logout;
using IdentityServer.Storage.Mail;
using IdentityServer.Storage.Pending;
using IdentityServer.Storage.Revocations;
using IdentityServer.Storage.Risk;
using IdentityServer.Storage.Schema;
using IdentityServer.Storage.Scopes;
using IdentityServer.Storage.Sessions;
using IdentityServer.Storage.SignIns;
using IdentityServer.Storage.Throttling;
using IdentityServer.Storage.Users;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.AspNetCore.Identity;
using Microsoft.Data.SqlClient;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;

namespace IdentityServer.Storage;

/// <summary>Registers the memory of the server.</summary>
public static class StorageServices
{
    /// <summary>
    /// Every port of the protocol, ASP.NET Core Identity's stores, and the Data Protection repository, on the given database. The schema
    /// must be current before they are used: <see cref="DatabaseSchema"/>.
    /// </summary>
    public static IServiceCollection AddIdentityServerStorage(this IServiceCollection services, StorageOptions options)
    {
        services.AddSingleton(options);
        services.TryAddSingleton(TimeProvider.System);
        services.AddPooledDbContextFactory<ServerDb>(builder => Configure(builder, options));
        services.AddScoped(provider => provider.GetRequiredService<IDbContextFactory<ServerDb>>().CreateDbContext());
        services.AddSingleton(provider => new DatabaseSchema(
            provider.GetRequiredService<IDbContextFactory<ServerDb>>(), provider.GetRequiredService<IStatements>(), options));
        if (options.Provider == DatabaseProvider.Sqlite)
        {
            // By a factory, so that the container also disposes of it: what waits is finished then.
            services.AddSingleton<IDeeds>(_ => new SqliteWriter(OpenOn, SqliteConnectionString(options, pooling: false)));
            services.AddSingleton<IStatements>(_ => new SqliteStatements(SqliteConnectionString(options, pooling: false)));
        }
        else
        {
            services.AddSingleton(options.Provider == DatabaseProvider.PostgreSql
                ? PostgreSqlConnections(options)
                : SqlServerConnections(options));
            services.AddSingleton<IDeeds, DirectDeeds>();
            services.AddSingleton<IStatements, ServerStatements>();
        }

        services.AddSingleton<IClientStore, ClientStore>();
        services.AddSingleton<IReplayStore, ReplayStore>();
        services.AddSingleton<IScopeStore, ScopeStore>();
        services.AddSingleton<ISubjects, SubjectStore>();
        services.AddSingleton<SessionStore>();
        services.AddSingleton<ISessionStore>(provider => provider.GetRequiredService<SessionStore>());
        services.AddSingleton<ISignInDoor>(provider => provider.GetRequiredService<SessionStore>());
        services.AddSingleton<IConsentStore, ConsentStore>();
        services.AddSingleton<IGrantStore, GrantStore>();
        services.AddSingleton<RevocationStore>();
        services.AddSingleton<IRevocations>(provider => provider.GetRequiredService<RevocationStore>());
        services.AddSingleton<IRevocationStore>(provider => provider.GetRequiredService<RevocationStore>());
        services.AddSingleton<IReceiptStore, ReceiptStore>();
        services.AddSingleton<ILiveSessions, LiveSessions>();
        services.AddSingleton<INodes, NodeStore>();
        services.AddSingleton<IChangeLog, ChangeLog>();
        services.AddSingleton<IDoorbell>(provider => options.Provider == DatabaseProvider.PostgreSql
            ? new PostgreSqlDoorbell(options.ConnectionString, provider.GetService<TimeProvider>() ?? TimeProvider.System)
            : new NoDoorbell());
        services.AddSingleton<IKeyStore, KeyStore>();
        services.AddSingleton<IKeyFetchStore, KeyFetchStore>();
        services.AddSingleton<IKeyUseStore, KeyUseStore>();
        services.AddSingleton<IAuditLog, AuditLog>();
        services.AddSingleton<IPendingRequestStore, PendingRequestStore>();
        services.AddSingleton<ISetupLinks, SetupLinkStore>();
        services.AddSingleton<ICredentials, CredentialStore>();
        services.AddSingleton<INames, NameStore>();
        services.AddSingleton<IPersonPolicy, PersonPolicyStore>();
        services.AddSingleton<IPlaces, PlaceStore>();
        services.AddSingleton<IFactors, FactorStore>();
        services.AddSingleton<IAuthenticators, AuthenticatorStore>();
        services.AddSingleton<IRecoveryCodes, RecoveryCodeStore>();
        services.AddSingleton<IPartialSignIns, PartialSignInStore>();
        services.AddSingleton<IDevices, DeviceStore>();
        services.AddSingleton<IAttempts, AttemptsStore>();
        services.AddSingleton<IAccounts, AccountStore>();
        services.AddSingleton<IMemberships, MembershipStore>();
        services.AddSingleton<IPasskeys, PasskeyStore>();
        services.AddSingleton<ICeremonies, CeremonyStore>();
        services.AddSingleton<IJobHistory, JobHistory>();
        services.AddSingleton<IOutbox, Outbox>();
        services.AddSingleton<LogoutBell>();
        services.AddSingleton<ILogoutNotices, LogoutNotices>();
        services.AddSingleton<IMailLinks, MailLinkStore>();
        services.AddSingleton<IExpiredRows, ExpiredRows>();
        services.AddSingleton<ICutoffMarks, CutoffMarks>();
        services.AddSingleton<DataProtectionKeys>();
        services.AddSingleton<IXmlRepository>(provider => provider.GetRequiredService<DataProtectionKeys>());
        services.AddSingleton<IDataProtectionKeys>(provider => provider.GetRequiredService<DataProtectionKeys>());

        services.AddIdentityCore<User>(identity => identity.Stores.SchemaVersion = IdentitySchemaVersions.Version2)
            .AddRoles<Role>()
            .AddEntityFrameworkStores<ServerDb>()
            .AddUserStore<PasskeyUserStore>();
        services.AddScoped<Users.Users>();
        return services;
    }

    /// <summary>Points a context at the database; used by the migrations' design-time factories too.</summary>
    public static DbContextOptionsBuilder Configure(DbContextOptionsBuilder builder, StorageOptions options) =>
        options.Provider switch
        {
            DatabaseProvider.Sqlite => ConfigureSqlite(builder, options),
            DatabaseProvider.PostgreSql => ConfigurePostgreSql(builder, options),
            DatabaseProvider.SqlServer => ConfigureSqlServer(builder, options),
            _ => throw new ArgumentOutOfRangeException(nameof(options), options.Provider, "There is no such provider."),
        };

    /// <summary>The ADO.NET driver of the database and the connection string to give it, for those who bring their own tables.</summary>
    public static (DbProviderFactory Factory, string ConnectionString) Driver(StorageOptions options) => options.Provider switch
    {
        DatabaseProvider.Sqlite => SqliteDriver(options),
        DatabaseProvider.PostgreSql => PostgreSqlDriver(options),
        DatabaseProvider.SqlServer => SqlServerDriver(options),
        _ => throw new ArgumentOutOfRangeException(nameof(options), options.Provider, "There is no such provider."),
    };

    // Methods of their own, so that a start loads the libraries of one database only.
    private static DbContextOptionsBuilder ConfigureSqlite(DbContextOptionsBuilder builder, StorageOptions options) => builder
        .UseSqlite(
            SqliteConnectionString(options, pooling: true),
            sqlite => sqlite.MigrationsAssembly(MigrationsAssembly(DatabaseProvider.Sqlite)))
        .AddInterceptors(new SqliteSettings());

    private static DbContextOptionsBuilder ConfigurePostgreSql(DbContextOptionsBuilder builder, StorageOptions options) => builder
        .UseNpgsql(
            PostgreSqlConnectionString(options),
            postgres => postgres.MigrationsAssembly(MigrationsAssembly(DatabaseProvider.PostgreSql)));

    private static DbContextOptionsBuilder ConfigureSqlServer(DbContextOptionsBuilder builder, StorageOptions options) => builder
        .UseSqlServer(
            options.ConnectionString,
            sqlServer => sqlServer.MigrationsAssembly(MigrationsAssembly(DatabaseProvider.SqlServer)));

    private static Connections PostgreSqlConnections(StorageOptions options)
    {
        var connectionString = PostgreSqlConnectionString(options);
        return new(options.Provider, () => new NpgsqlConnection(connectionString));
    }

    private static Connections SqlServerConnections(StorageOptions options) =>
        new(options.Provider, () => new SqlConnection(options.ConnectionString));

    private static (DbProviderFactory Factory, string ConnectionString) SqliteDriver(StorageOptions options) =>
        (SqliteFactory.Instance, SqliteConnectionString(options, pooling: true));

    private static (DbProviderFactory Factory, string ConnectionString) PostgreSqlDriver(StorageOptions options) =>
        (NpgsqlFactory.Instance, PostgreSqlConnectionString(options));

    private static (DbProviderFactory Factory, string ConnectionString) SqlServerDriver(StorageOptions options) =>
        (SqlClientFactory.Instance, options.ConnectionString);

    internal static string MigrationsAssembly(DatabaseProvider provider) => $"IdentityServer.Migrations.{provider}";

    private static ServerDb OpenOn(SqliteConnection connection) =>
        new(new DbContextOptionsBuilder<ServerDb>().UseSqlite(connection).Options);

    private static string SqliteConnectionString(StorageOptions options, bool pooling) =>
        new SqliteConnectionStringBuilder(options.ConnectionString) { ForeignKeys = true, Pooling = pooling }.ToString();

    // Statements that recur are prepared by the driver, once per connection.
    private static string PostgreSqlConnectionString(StorageOptions options) =>
        new NpgsqlConnectionStringBuilder(options.ConnectionString)
        {
            MaxAutoPrepare = 100,
            AutoPrepareMinUsages = 2,
            NoResetOnClose = true,
            ApplicationName = "IdentityServer",
        }.ToString();
}
