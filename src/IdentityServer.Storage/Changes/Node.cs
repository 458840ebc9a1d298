using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdentityServer.Storage.Changes;

/// <summary>A running server: how far it has read the change log, so that an ending can be said to hold everywhere.</summary>
public sealed record Node
{
    /// <summary>Made at each start.</summary>
    public required string Id { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When it last said so. One that is silent reads no log either, and so turns not ready.</summary>
    public required DateTimeOffset SeenAt { get; init; }

    /// <summary>Every change up to this one is in its memory.</summary>
    public required long Floor { get; init; }

    /// <summary>And these above it: numbers between commas.</summary>
    public required string Recent { get; init; }
}

internal sealed class NodeMapping : IEntityTypeConfiguration<Node>
{
    public void Configure(EntityTypeBuilder<Node> builder)
    {
        builder.ToTable("Nodes");
        builder.HasKey(node => node.Id);
        builder.Property(node => node.Id).IsIdentifier();
        builder.HasIndex(node => node.SeenAt);
    }
}
