using IdentityServer.Protocol.Pending;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdentityServer.Storage.Pending;

internal sealed class PendingRequestMapping : IEntityTypeConfiguration<PendingRequest>
{
    public void Configure(EntityTypeBuilder<PendingRequest> builder)
    {
        builder.ToTable("PendingRequests");
        builder.HasKey(request => request.Hash);
        builder.Property(request => request.Hash).IsIdentifier(Identifiers.HashLength);
        builder.Property(request => request.ClientId).IsIdentifier(Identifiers.NameLength);
        builder.Property(request => request.Parameters);
        builder.Property(request => request.ChosenSessionId).IsIdentifier();
        builder.Property(request => request.AnsweredSessionId).IsIdentifier();
        builder.Property(request => request.DeclinedSessionId).IsIdentifier();
        builder.HasIndex(request => request.ExpiresAt);
    }
}
