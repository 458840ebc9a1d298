using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdentityServer.Storage.Logout;

/// <summary>
/// A logout token on its way to a client that took part in a session that ended (OpenID Connect Back-Channel Logout 1.0 §2.4). Kept until
/// it was taken or given up, and a while longer for the receipt.
/// </summary>
public sealed record LogoutNotice
{
    /// <summary>The token's <c>jti</c>: the same at each attempt, so that a client that hears twice can tell.</summary>
    public required string Id { get; init; }

    /// <summary>The ending that it tells of.</summary>
    public required string ReceiptId { get; init; }

    public required string ClientId { get; init; }

    public required string Subject { get; init; }

    public required string SessionId { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it is to be tried next; also when another node may take it from one that died. <see langword="null"/>: never again.</summary>
    public DateTimeOffset? NextAttemptAt { get; init; }

    public int Attempts { get; init; }

    public DateTimeOffset? DeliveredAt { get; init; }

    /// <summary>When it was given up.</summary>
    public DateTimeOffset? DeadAt { get; init; }

    /// <summary>Why the last attempt failed: a status code or a fixed word.</summary>
    public string? Error { get; init; }
}

internal sealed class LogoutNoticeMapping : IEntityTypeConfiguration<LogoutNotice>
{
    public const int ErrorLength = 200;

    public void Configure(EntityTypeBuilder<LogoutNotice> builder)
    {
        builder.ToTable("LogoutNotices");
        builder.HasKey(notice => notice.Id);
        builder.Property(notice => notice.Id).IsIdentifier();
        builder.Property(notice => notice.ReceiptId).IsIdentifier();
        builder.Property(notice => notice.ClientId).IsIdentifier(Identifiers.NameLength);
        builder.Property(notice => notice.Subject).IsIdentifier();
        builder.Property(notice => notice.SessionId).IsIdentifier();
        builder.Property(notice => notice.Error).HasMaxLength(ErrorLength);
        builder.HasIndex(notice => new { notice.ReceiptId, notice.SessionId, notice.ClientId }).IsUnique();
        builder.HasIndex(notice => notice.NextAttemptAt);
        builder.HasIndex(notice => notice.CreatedAt);
    }
}
