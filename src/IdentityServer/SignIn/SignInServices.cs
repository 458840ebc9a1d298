using System.Text.Encodings.Web;
using System.Text.Unicode;
using IdentityServer.Configuration;
using IdentityServer.Errors;
using IdentityServer.Layout;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Risk;
using IdentityServer.Storage.Users;
using IdentityServer.Throttling;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc.ModelBinding;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.WebEncoders;

namespace IdentityServer.SignIn;

/// <summary>Registers and places the hosted pages and everything they stand on.</summary>
public static class SignInServices
{
    /// <summary>Password rules and hashing: for the pages and for the command line.</summary>
    public static IServiceCollection AddPasswords(this IServiceCollection services, ServerSettings settings)
    {
        services.AddLocalization();
        services.AddSingleton(new Brand(settings.Brand));
        services.Configure<PasswordHasherOptions>(options => options.IterationCount = NormalizingPasswordHasher.Iterations);
        services.Replace(ServiceDescriptor.Singleton<IPasswordHasher<User>, NormalizingPasswordHasher>());
        services.RemoveAll<IPasswordValidator<User>>();
        services.AddSingleton<IPasswordValidator<User>, PasswordRulesValidator>();
        services.AddSingleton<Unlocking>();
        services.Configure<IdentityOptions>(identity => identity.User.RequireUniqueEmail = true);
        return services;
    }

    /// <summary>The hosted pages. Storage and protocol are registered elsewhere.</summary>
    public static IServiceCollection AddSignIn(this IServiceCollection services, ServerSettings settings, string issuer)
    {
        services.AddPasswords(settings);
        services.AddSingleton<Assets>();
        services.AddSingleton<SessionCookie>();
        services.AddSingleton<RememberedAccounts>();
        services.AddSingleton<PasswordTurns>();
        services.AddSingleton<SignInFlow>();
        services.AddSingleton(settings.Risk);
        services.AddLocator(settings.Risk);
        services.AddSingleton<SignInWatch>();
        services.AddSingleton<IReuseWatch>(provider => provider.GetRequiredService<SignInWatch>());
        services.AddSingleton<PasswordSignIn>();
        services.AddSingleton<SecondFactor>();
        services.AddSingleton<AuthenticatorApps>();
        services.AddSingleton<RecoveryCodes>();
        services.AddSingleton<BrowserCookie>();
        services.AddSingleton<PartialCookie>();
        services.AddSingleton<PartialVisits>();
        services.AddSingleton<Throttle>();
        services.AddSingleton(settings.SignIn);
        services.AddSingleton<People>();
        services.AddSingleton<PausedRequests>();

        // Letters of every script as they are: a page in Chinese is half as long.
        services.Configure<WebEncoderOptions>(options => options.TextEncoderSettings = new TextEncoderSettings(UnicodeRanges.All));
        services.AddAntiforgery(options =>
        {
            options.Cookie = CookieNames.Builder(issuer, "csrf");
            options.SuppressXFrameOptionsHeader = true;
        });
        services.AddRazorPages(options =>
            {
                options.RootDirectory = "/";
                options.Conventions.ConfigureFilter(new NoStore());
                options.Conventions.ConfigureFilter(new KnownHandlers());
            })

            // jQuery's names for fields are not ours, and its reader throws at a bracket that is never closed.
            .AddMvcOptions(options => options.ValueProviderFactories.RemoveType<JQueryFormValueProviderFactory>())
            .AddViewLocalization()
            .AddCookieTempDataProvider(options => options.Cookie = CookieNames.Builder(issuer, "draft"));
        return services;
    }

    /// <summary>Language and error pages, around everything that comes after.</summary>
    public static IApplicationBuilder UseHostedPages(this IApplicationBuilder app)
    {
        // The issuer says how people reach us, also where something in front of us ended TLS and was not named as a proxy.
        if (CookieNames.AreSecure(app.ApplicationServices.GetRequiredService<ProtocolOptions>().Issuer))
        {
            app.Use((http, next) =>
            {
                http.Request.IsHttps = true;
                return next(http);
            });
        }

        app.UseRequestLocalization(UiLanguage.Localization());
        app.UseExceptionHandler(new ExceptionHandlerOptions { ExceptionHandlingPath = ErrorModel.Path });
        app.UseStatusCodePagesWithReExecute(ErrorModel.Path);
        return app.Use(ErrorModel.KeepForBrowsersAsync);
    }

    /// <summary>The pages and their files.</summary>
    public static void MapSignIn(this IEndpointRouteBuilder app)
    {
        var assets = app.ServiceProvider.GetRequiredService<Assets>();
        app.MapGet("/assets/{version}/{name}", assets.Get);
        app.MapRazorPages();
    }
}
