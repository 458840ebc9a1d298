using System.Collections.Frozen;
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
using IdentityServer.Storage.Audit;
using IdentityServer.Storage.Changes;
using IdentityServer.Storage.Clients;
using IdentityServer.Storage.DataProtection;
using IdentityServer.Storage.Devices;
using IdentityServer.Storage.Factors;
using IdentityServer.Storage.Grants;
using IdentityServer.Storage.Jobs;
using IdentityServer.Storage.Logout;
using IdentityServer.Storage.Mail;
using IdentityServer.Storage.Revocations;
using IdentityServer.Storage.Risk;
using IdentityServer.Storage.SignIns;
using IdentityServer.Storage.Throttling;
using IdentityServer.Storage.Users;
using Microsoft.AspNetCore.Identity.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace IdentityServer.Storage;

/// <summary>
/// The database. The protocol's immutable records are its rows where they can be; each room beside this file holds the mapping
/// and the store of its nouns.
/// </summary>
public sealed class ServerDb(DbContextOptions<ServerDb> options) : IdentityDbContext<User, Role, string>(options)
{
    public DbSet<Client> Clients => Set<Client>();

    public DbSet<UsedValue> UsedValues => Set<UsedValue>();

    public DbSet<Scope> Scopes => Set<Scope>();

    public DbSet<ApiResource> Apis => Set<ApiResource>();

    public DbSet<Session> Sessions => Set<Session>();

    public DbSet<Consent> Consents => Set<Consent>();

    public DbSet<Grant> Grants => Set<Grant>();

    public DbSet<TokenRow> Tokens => Set<TokenRow>();

    public DbSet<Revocation> Revocations => Set<Revocation>();

    public DbSet<EpochCounter> Epochs => Set<EpochCounter>();

    public DbSet<Receipt> Receipts => Set<Receipt>();

    public DbSet<LogoutNotice> LogoutNotices => Set<LogoutNotice>();

    public DbSet<Node> Nodes => Set<Node>();

    public DbSet<SigningKey> SigningKeys => Set<SigningKey>();

    public DbSet<KeyActivation> KeyActivations => Set<KeyActivation>();

    public DbSet<KeyPlan> KeyPlans => Set<KeyPlan>();

    public DbSet<KeyFetch> KeyFetches => Set<KeyFetch>();

    public DbSet<KeyUse> KeyUses => Set<KeyUse>();

    public DbSet<Change> Changes => Set<Change>();

    public DbSet<AuditEvent> AuditEvents => Set<AuditEvent>();

    public DbSet<PendingRequest> PendingRequests => Set<PendingRequest>();

    public DbSet<Authenticator> Authenticators => Set<Authenticator>();

    public DbSet<RecoveryCode> RecoveryCodes => Set<RecoveryCode>();

    public DbSet<Passkey> Passkeys => Set<Passkey>();

    public DbSet<PartialSignIn> PartialSignIns => Set<PartialSignIn>();

    public DbSet<Ceremony> Ceremonies => Set<Ceremony>();

    public DbSet<Device> Devices => Set<Device>();

    public DbSet<Attempts> Attempts => Set<Attempts>();

    public DbSet<OutboxMail> OutboxMails => Set<OutboxMail>();

    public DbSet<MailLink> MailLinks => Set<MailLink>();

    public DbSet<Place> Places => Set<Place>();

    public DbSet<SetupLink> SetupLinks => Set<SetupLink>();

    public DbSet<JobRun> JobRuns => Set<JobRun>();

    public DbSet<DataProtectionKey> DataProtectionKeys => Set<DataProtectionKey>();

    /// <summary>Adds the event that explains the deed being done.</summary>
    public void Record(AuditEvent audit) => AuditEvents.Add(AuditLog.Bounded(audit));

    /// <summary>Adds a row to the log that every node's memory follows.</summary>
    public void Announce(ChangeKind kind, string key, DateTimeOffset at) => Changes.Add(new Change(0, kind, key, at));

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        configurationBuilder.Properties<DateTimeOffset>().HaveConversion<UtcInstantConverter>();
        configurationBuilder.Properties<TimeSpan>().HaveConversion<DurationConverter>();
        configurationBuilder.Properties<IReadOnlyList<string>>()
            .HaveConversion<TextListConverter, SameObjectComparer<IReadOnlyList<string>>>();
        configurationBuilder.Properties<FrozenSet<string>>()
            .HaveConversion<TextSetConverter, SameObjectComparer<FrozenSet<string>>>();
        configurationBuilder.Properties<IReadOnlyDictionary<string, string>>()
            .HaveConversion<TextMapConverter, SameObjectComparer<IReadOnlyDictionary<string, string>>>();
        configurationBuilder.Properties<IReadOnlyList<ClientSecret>>()
            .HaveConversion<ClientSecretsConverter, SameObjectComparer<IReadOnlyList<ClientSecret>>>();
    }

    protected override void OnModelCreating(ModelBuilder builder)
    {
        base.OnModelCreating(builder);
        builder.ApplyConfigurationsFromAssembly(typeof(ServerDb).Assembly);
        CompareOrdinally(builder.Model);

        // For the clean-up. Few grants are ended, and the index shall cost nothing to those that are opened.
        builder.Entity<Grant>().HasIndex(grant => grant.EndedAt)
            .HasFilter(Database.IsSqlServer() ? "[EndedAt] IS NOT NULL" : "\"EndedAt\" IS NOT NULL");
    }

    /// <summary>
    /// Every bounded text is an identifier or a hash, and SQL Server would compare it without regard to case, PostgreSQL by the
    /// rules of a language. SQLite compares octets anyway.
    /// </summary>
    private void CompareOrdinally(IMutableModel model)
    {
        var collation = Database.IsSqlServer() ? "Latin1_General_100_BIN2" : Database.IsNpgsql() ? "C" : null;
        foreach (var property in model.GetEntityTypes()
            .Where(entity => !entity.IsMappedToJson())
            .SelectMany(entity => entity.GetProperties())
            .Where(property => property.ClrType == typeof(string)))
        {
            if (property.FindFirstPrincipal() is { } principal && principal != property)
            {
                property.SetMaxLength(principal.GetMaxLength());
                property.SetIsUnicode(principal.IsUnicode());
            }

            if (property.GetMaxLength() is not null)
            {
                property.SetCollation(collation);
            }
        }
    }
}
