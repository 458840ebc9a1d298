using IdentityServer.Configuration;
using IdentityServer.Layout;
using IdentityServer.Protocol;
using IdentityServer.Resources;
using IdentityServer.Telemetry;
using Microsoft.Extensions.Localization;

namespace IdentityServer.Mail;

/// <summary>Registers what writes and sends mail.</summary>
internal static class MailServices
{
    public static IServiceCollection AddMail(this IServiceCollection services)
    {
        services.AddSingleton(provider =>
            MailRoute.Of(provider.GetRequiredService<ServerSettings>(), provider.GetRequiredService<IHostEnvironment>()));
        services.AddSingleton<MailSeal>();
        services.AddSingleton<MailBell>();
        services.AddSingleton(provider => new MailComposer(
            provider.GetRequiredService<MailRoute>(),
            provider.GetRequiredService<MailSeal>(),
            provider.GetRequiredService<Brand>(),
            provider.GetRequiredService<ProtocolOptions>(),
            provider.GetRequiredService<IStringLocalizer<Texts>>(),
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<MailGauges>();
        services.AddHostedService<MailCourier>();
        return services;
    }
}
