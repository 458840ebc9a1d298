using IdentityServer.Protocol.Clients;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdentityServer.Storage.Clients;

internal sealed class ClientMapping : IEntityTypeConfiguration<Client>
{
    public void Configure(EntityTypeBuilder<Client> builder)
    {
        builder.ToTable("Clients");
        builder.HasKey(client => client.Id);
        builder.Property(client => client.Id).IsIdentifier(Identifiers.NameLength);
        builder.Property(client => client.Type).HasConversion<string>().IsIdentifier();
        builder.Property(client => client.Name).HasMaxLength(400);
        builder.Property(client => client.AuthMethod).IsIdentifier();
        builder.Property(client => client.Secrets);
        builder.Property(client => client.TokenFormat).HasConversion<string>().IsIdentifier();
        builder.Property(client => client.IdTokenSigningAlgorithm).IsIdentifier();
        builder.Property(client => client.UserInfoSigningAlgorithm).IsIdentifier();
        builder.Property(client => client.MinimumAcr).IsIdentifier(Identifiers.NameLength);
        builder.Property(client => client.Version).IsConcurrencyToken();
    }
}
