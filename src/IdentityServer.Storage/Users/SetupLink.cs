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

/// <summary>
/// Where set-up links are kept. Each start without an admin makes one, on every node; the first that is used closes all, and none
/// works once there is an admin. <see cref="Users.AddFirstAdminAsync"/> uses them.
/// </summary>
public interface ISetupLinks
{
    /// <summary>True while there is no admin.</summary>
    ValueTask<bool> AreNeededAsync(CancellationToken ct);

    /// <summary>Stores a link beside those of other starts.</summary>
    ValueTask CreateAsync(string hash, DateTimeOffset now, DateTimeOffset expiresAt, AuditEvent audit, CancellationToken ct);

    /// <summary>True while the link may be used: for showing the page.</summary>
    ValueTask<bool> IsOpenAsync(string hash, DateTimeOffset now, CancellationToken ct);
}

internal sealed class SetupLinkMapping : IEntityTypeConfiguration<SetupLink>
{
    public void Configure(EntityTypeBuilder<SetupLink> builder)
    {
        builder.ToTable("SetupLinks");
        builder.HasKey(link => link.Hash);
        builder.Property(link => link.Hash).IsIdentifier(Identifiers.HashLength);
        builder.Property(link => link.UsedAt).IsConcurrencyToken();
        builder.HasIndex(link => link.ExpiresAt);
    }
}
