namespace IdentityServer.Account;

/// <summary>Registers what the pages of people's own accounts stand on.</summary>
public static class AccountServices
{
    public static IServiceCollection AddAccountPages(this IServiceCollection services)
    {
        services.AddSingleton<AccountAccess>();
        services.AddSingleton<AccountWords>();
        return services;
    }
}
