using IdentityServer.Protocol.Sessions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdentityServer.Storage.Sessions;

internal sealed class SessionMapping : IEntityTypeConfiguration<Session>
{
    /// <summary>Column: the hash of the cookie's handle.</summary>
    public const string HandleHash = "HandleHash";

    /// <summary>
    /// Column: when the session's offline grants were ended with it. Grants read it by their session, so that one opened at the very
    /// moment of the ending is ended too.
    /// </summary>
    public const string OfflineEndedAt = "OfflineEndedAt";

    public const int UserAgentLength = 400;

    public void Configure(EntityTypeBuilder<Session> builder)
    {
        builder.ToTable("Sessions");
        builder.HasKey(session => session.Id);
        builder.Property(session => session.Id).IsIdentifier();
        builder.Property<string>(HandleHash).IsRequired().IsIdentifier(Identifiers.HashLength);
        builder.Property(session => session.Subject).IsIdentifier();
        builder.Property(session => session.Acr).HasMaxLength(Identifiers.NameLength);
        builder.Property(session => session.Address).HasMaxLength(64);
        builder.Property(session => session.DeviceId).IsIdentifier();
        builder.Property(session => session.UserAgent).HasMaxLength(UserAgentLength);
        builder.Property<DateTimeOffset?>(OfflineEndedAt);
        builder.HasIndex(HandleHash).IsUnique();
        builder.HasIndex(session => new { session.Subject, session.Id });
        builder.HasIndex(session => new { session.CreatedAt, session.Id });
        builder.HasIndex(session => session.ExpiresAt);
    }
}
