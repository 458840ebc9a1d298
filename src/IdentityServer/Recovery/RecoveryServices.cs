namespace IdentityServer.Recovery;

/// <summary>Registers what the pages of mailed links stand on.</summary>
internal static class RecoveryServices
{
    public static IServiceCollection AddRecovery(this IServiceCollection services)
    {
        services.AddSingleton<MailDesk>();
        services.AddHostedService(provider => provider.GetRequiredService<MailDesk>());
        services.AddSingleton<PasswordForm>();
        return services;
    }
}
