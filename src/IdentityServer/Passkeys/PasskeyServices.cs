namespace IdentityServer.Passkeys;

/// <summary>Registers passkeys. Storage, people and the brand are registered elsewhere.</summary>
public static partial class PasskeyServices
{
    public static IServiceCollection AddPasskeys(this IServiceCollection services)
    {
        services.AddSingleton<PasskeyDomain>();
        services.AddSingleton<PasskeyTraffic>();
        services.AddScoped<PasskeyCeremonies>();
        services.AddScoped<PasskeySignIn>();
        return services;
    }

    /// <summary>Tells the log, once, when this server can have no passkeys.</summary>
    public static void UsePasskeys(this IApplicationBuilder app)
    {
        if (!app.ApplicationServices.GetRequiredService<PasskeyDomain>().IsOn)
        {
            LogOff(app.ApplicationServices.GetRequiredService<ILogger<PasskeyDomain>>(), PasskeyDomain.WhyOff);
        }
    }

    [LoggerMessage(3602, LogLevel.Information, "The issuer: {Why}")]
    private static partial void LogOff(ILogger logger, string why);
}
