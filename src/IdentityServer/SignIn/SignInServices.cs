using IdentityServer.Configuration;

namespace IdentityServer.SignIn;

/// <summary>Registers what the hosted pages need.</summary>
public static class SignInServices
{
    public static IServiceCollection AddSignIn(this IServiceCollection services, ServerSettings settings, string issuer)
    {
        ArgumentNullException.ThrowIfNull(settings);
        services.AddSingleton<SessionCookie>();
        services.AddAntiforgery(options => options.Cookie = CookieNames.Builder(issuer, "csrf"));
        return services;
    }

    public static void UseHostedPages(this WebApplication app) => app.UseStaticFiles();

    public static void MapSignIn(this WebApplication app) => ArgumentNullException.ThrowIfNull(app);
}
