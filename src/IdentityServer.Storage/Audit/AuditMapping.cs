using IdentityServer.Protocol.Audit;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdentityServer.Storage.Audit;

internal sealed class AuditMapping : IEntityTypeConfiguration<AuditEvent>
{
    /// <summary>Column: grows with time.</summary>
    public const string Id = "Id";

    public void Configure(EntityTypeBuilder<AuditEvent> builder)
    {
        builder.ToTable("AuditEvents");
        builder.Property<long>(Id).ValueGeneratedOnAdd();
        builder.HasKey(Id);
        builder.Property(audit => audit.Type).HasMaxLength(AuditLog.ShortLength);
        builder.Property(audit => audit.Actor).HasMaxLength(AuditLog.LongLength);
        builder.Property(audit => audit.Subject).HasMaxLength(AuditLog.ShortLength);
        builder.Property(audit => audit.ClientId).HasMaxLength(AuditLog.LongLength);
        builder.Property(audit => audit.SessionId).HasMaxLength(AuditLog.ShortLength);
        builder.Property(audit => audit.GrantId).HasMaxLength(AuditLog.ShortLength);
        builder.Property(audit => audit.Address).HasMaxLength(AuditLog.ShortLength);
        builder.Property(audit => audit.Outcome).HasMaxLength(AuditLog.ShortLength);
        builder.Property(audit => audit.Detail).HasMaxLength(AuditLog.LongLength);
        builder.HasIndex(audit => audit.GrantId);
    }
}
