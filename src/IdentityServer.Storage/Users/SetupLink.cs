using IdentityServer.Protocol.Audit;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdentityServer.Storage.Users;

/// <summary>The one-time link by which the first admin of an empty server is made.</summary>
public sealed class SetupLink
{
    /// <summary>Hash of the handle in the link.</summary>
    public required string Hash { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public DateTimeOffset? UsedAt { get; set; }
}

/// <summary>Where set-up links are kept. At most one works at a time, and none once there is an admin.</summary>
public interface ISetupLinks
{
    /// <summary>Stores a link; earlier ones stop working.</summary>
    ValueTask CreateAsync(string hash, DateTimeOffset now, DateTimeOffset expiresAt, AuditEvent audit, CancellationToken ct);

    /// <summary>True while the link may be used: for showing the page.</summary>
    ValueTask<bool> IsOpenAsync(string hash, DateTimeOffset now, CancellationToken ct);

    /// <summary>
    /// Uses the link up. True once, if it was unexpired and unused and there is no admin. <see cref="Users.AddFirstAdminAsync"/> does
    /// so in the transaction that adds the person.
    /// </summary>
    ValueTask<bool> TryConsumeAsync(string hash, DateTimeOffset now, AuditEvent audit, CancellationToken ct);
}

internal sealed class SetupLinkMapping : IEntityTypeConfiguration<SetupLink>
{
    public void Configure(EntityTypeBuilder<SetupLink> builder)
    {
        builder.ToTable("SetupLinks");
        builder.HasKey(link => link.Hash);
        builder.Property(link => link.Hash).IsIdentifier(Identifiers.HashLength);
        builder.Property(link => link.UsedAt).IsConcurrencyToken();
    }
}
