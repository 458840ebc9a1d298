using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdentityServer.Storage.Users;

internal sealed class UserMapping : IEntityTypeConfiguration<User>
{
    public void Configure(EntityTypeBuilder<User> builder)
    {
        builder.ToTable("Users");
        builder.Property(user => user.Id).IsIdentifier();
        builder.Property(user => user.Name).HasMaxLength(256);
        builder.Property(user => user.GivenName).HasMaxLength(256);
        builder.Property(user => user.FamilyName).HasMaxLength(256);
        builder.Property(user => user.PhoneNumber).HasMaxLength(256);
        builder.Property(user => user.Locale).HasMaxLength(35);
    }
}

internal sealed class RoleMapping : IEntityTypeConfiguration<Role>
{
    public void Configure(EntityTypeBuilder<Role> builder)
    {
        builder.ToTable("Roles");
        builder.Property(role => role.Id).IsIdentifier();
    }
}

/// <summary>
/// Identity's own tables, by shorter names, as its schema version 2 has them: passkeys have a table of our own. Written out here because
/// Identity reads the version from the settings of whoever opens the context, and the schema must not depend on those.
/// </summary>
internal sealed class IdentityMapping :
    IEntityTypeConfiguration<IdentityUserRole<string>>,
    IEntityTypeConfiguration<IdentityUserClaim<string>>,
    IEntityTypeConfiguration<IdentityUserLogin<string>>,
    IEntityTypeConfiguration<IdentityUserToken<string>>,
    IEntityTypeConfiguration<IdentityRoleClaim<string>>
{
    private const int KeyLength = 128;

    public void Configure(EntityTypeBuilder<IdentityUserRole<string>> builder) => builder.ToTable("UserRoles");

    public void Configure(EntityTypeBuilder<IdentityUserClaim<string>> builder) => builder.ToTable("UserClaims");

    public void Configure(EntityTypeBuilder<IdentityUserLogin<string>> builder)
    {
        builder.ToTable("UserLogins");
        builder.Property(login => login.LoginProvider).HasMaxLength(KeyLength);
        builder.Property(login => login.ProviderKey).HasMaxLength(KeyLength);
    }

    public void Configure(EntityTypeBuilder<IdentityUserToken<string>> builder)
    {
        builder.ToTable("UserTokens");
        builder.Property(token => token.LoginProvider).HasMaxLength(KeyLength);
        builder.Property(token => token.Name).HasMaxLength(KeyLength);
    }

    public void Configure(EntityTypeBuilder<IdentityRoleClaim<string>> builder) => builder.ToTable("RoleClaims");
}
