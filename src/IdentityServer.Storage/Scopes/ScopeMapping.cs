using IdentityServer.Protocol.Scopes;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdentityServer.Storage.Scopes;

internal sealed class ScopeMapping : IEntityTypeConfiguration<Scope>
{
    public void Configure(EntityTypeBuilder<Scope> builder)
    {
        builder.ToTable("Scopes");
        builder.HasKey(scope => scope.Name);
        builder.Property(scope => scope.Name).IsIdentifier(Identifiers.NameLength);
    }
}

internal sealed class ApiMapping : IEntityTypeConfiguration<ApiResource>
{
    public void Configure(EntityTypeBuilder<ApiResource> builder)
    {
        builder.ToTable("Apis");
        builder.HasKey(api => api.Name);
        builder.Property(api => api.Name).IsIdentifier(Identifiers.NameLength);
    }
}
