using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdentityServer.Storage.Mail;

internal sealed class MailMapping : IEntityTypeConfiguration<OutboxMail>, IEntityTypeConfiguration<MailLink>
{
    public const int KindLength = 40;
    public const int ErrorLength = 400;
    public const int EmailLength = 254;

    public void Configure(EntityTypeBuilder<OutboxMail> builder)
    {
        builder.ToTable("OutboxMails");
        builder.HasKey(mail => mail.Id);
        builder.Property(mail => mail.Id).IsIdentifier();
        builder.Property(mail => mail.Subject).IsIdentifier();
        builder.Property(mail => mail.Kind).IsIdentifier(KindLength);
        builder.Property(mail => mail.Error).HasMaxLength(ErrorLength);
        builder.HasIndex(mail => mail.NextAttemptAt);
        builder.HasIndex(mail => mail.CreatedAt);
    }

    public void Configure(EntityTypeBuilder<MailLink> builder)
    {
        builder.ToTable("MailLinks");
        builder.HasKey(link => link.Hash);
        builder.Property(link => link.Hash).IsIdentifier(Identifiers.HashLength);
        builder.Property(link => link.Kind).IsIdentifier(KindLength);
        builder.Property(link => link.Subject).IsIdentifier();
        builder.Property(link => link.Email).HasMaxLength(EmailLength);
        builder.Property(link => link.BrowserHash).IsIdentifier(Identifiers.HashLength);
        builder.Property(link => link.RequestHash).IsIdentifier(Identifiers.HashLength);
        builder.HasIndex(link => link.Subject);
        builder.HasIndex(link => link.ExpiresAt);
    }
}
