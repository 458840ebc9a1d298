using IdentityServer.Protocol.Issuance;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace IdentityServer.Logout;

/// <summary>Registers what tells clients that sessions have ended.</summary>
internal static class LogoutServices
{
    public static IServiceCollection AddLogout(this IServiceCollection services)
    {
        services.TryAddSingleton(provider => new LogoutReach(provider.GetRequiredService<IHostEnvironment>().IsDevelopment()));
        services.AddSingleton<LogoutTokens>();
        services.AddSingleton<LogoutDelivery>();
        services.AddSingleton<LogoutWatch>();
        services.AddHostedService<LogoutCourier>();
        return services;
    }
}
