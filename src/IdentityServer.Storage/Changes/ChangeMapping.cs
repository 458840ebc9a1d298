using IdentityServer.Protocol.Changes;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdentityServer.Storage.Changes;

internal sealed class ChangeMapping : IEntityTypeConfiguration<Change>
{
    // A client id of full length, all of it escaped, between the numbers of a cutoff.
    private const int KeyLength = 800;

    public void Configure(EntityTypeBuilder<Change> builder)
    {
        builder.ToTable("Changes");
        builder.HasKey(change => change.Sequence);
        builder.Property(change => change.Sequence).ValueGeneratedOnAdd();
        builder.Property(change => change.Key).IsIdentifier(KeyLength);
        builder.HasIndex(change => change.At);
    }
}
