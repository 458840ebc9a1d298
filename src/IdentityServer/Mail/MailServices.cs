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
    /// <summary>All of it, for the server.</summary>
    public static IServiceCollection AddMail(this IServiceCollection services) => services
        .AddMailWriting()
        .AddSingleton<MailGauges>()
        .AddHostedService<MailCourier>();

    /// <summary>What writes mail, for a command too: the server sends it.</summary>
    public static IServiceCollection AddMailWriting(this IServiceCollection services)
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
        services.AddSingleton<Notices>();

        // For commands: whoever asks for it needs the master key, as what waits to be sent is sealed.
        services.AddSingleton(provider => new Lazy<Notices>(provider.GetRequiredService<Notices>));
        return services;
    }
}
