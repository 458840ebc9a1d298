using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdentityServer.Storage.Jobs;

internal sealed class JobRunMapping : IEntityTypeConfiguration<JobRun>
{
    public const int NodeLength = 200;
    public const int DetailLength = 400;

    public void Configure(EntityTypeBuilder<JobRun> builder)
    {
        builder.ToTable("JobRuns");
        builder.Property<long>("Id").ValueGeneratedOnAdd();
        builder.HasKey("Id");
        builder.Property(run => run.Job).IsIdentifier();
        builder.Property(run => run.Node).HasMaxLength(NodeLength);
        builder.Property(run => run.Detail).HasMaxLength(DetailLength);
        builder.HasIndex(run => new { run.Job, run.StartedAt });
        builder.HasIndex(run => run.StartedAt);
    }
}
