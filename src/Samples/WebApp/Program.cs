// A web app that signs people in with the server and calls an API for them. docs/samples.md walks through it.
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.OAuth;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using WebApp;
using WebApp.SignIn;

var builder = WebApplication.CreateBuilder(args);
var settings = builder.Configuration.Get<AppSettings>() ?? new AppSettings();

builder.Services.AddRazorPages();
builder.Services.AddMemoryCache();
builder.Services.AddSingleton(TimeProvider.System);
builder.Services.AddSingleton(settings);
builder.Services.AddSingleton<TicketsInMemory>();
builder.Services.AddSingleton<IdTokenReader>();
builder.Services.AddScoped<SessionEvents>();
builder.Services.AddHttpClient<Server>();
builder.Services.AddHttpClient<OrdersApi>(http => http.BaseAddress = new Uri(settings.Api));

// The server's metadata and keys: fetched on first use, again every 12 hours, and when a token names an unknown key.
builder.Services.AddSingleton(new ConfigurationManager<OpenIdConnectConfiguration>(
    $"{settings.Authority}/.well-known/openid-configuration",
    new OpenIdConnectConfigurationRetriever(),
    new HttpDocumentRetriever { RequireHttps = !builder.Environment.IsDevelopment() }));

builder.Services
    .AddAuthentication(options =>
    {
        options.DefaultScheme = CookieAuthenticationDefaults.AuthenticationScheme;
        options.DefaultChallengeScheme = "server";
    })
    .AddCookie(options =>
    {
        // Browsers share cookies between ports of one host: a name of its own keeps this app's apart from the server's.
        options.Cookie.Name = "webapp-session";
        options.ExpireTimeSpan = TimeSpan.FromHours(8);
        options.EventsType = typeof(SessionEvents);
    })
    .AddOAuth<OAuthOptions, CodeFlowHandler>("server", options =>
    {
        options.ClientId = settings.ClientId;
        options.ClientSecret = settings.ClientSecret;
        options.AuthorizationEndpoint = $"{settings.Authority}/connect/authorize";
        options.TokenEndpoint = $"{settings.Authority}/connect/token";
        options.UserInformationEndpoint = $"{settings.Authority}/connect/userinfo";
        options.CallbackPath = "/callback";
        options.UsePkce = true;
        options.SaveTokens = true;
        options.Scope.Add("openid");
        options.Scope.Add("profile");
        options.Scope.Add("offline_access");
        options.Scope.Add("orders.read");
        options.Scope.Add("orders.write");

        // The answer comes back as a top-level GET, which a Lax cookie survives. The default, None, needs https.
        options.CorrelationCookie.SameSite = SameSiteMode.Lax;

        options.Events.OnRemoteFailure = context =>
        {
            // The reason is in the log; a page that repeats what arrived in the address would say what a stranger made it say.
            context.Response.Redirect("/failed");
            context.HandleResponse();
            return Task.CompletedTask;
        };
    });

// The cookie holds a key; the tokens stay here.
builder.Services
    .AddOptions<CookieAuthenticationOptions>(CookieAuthenticationDefaults.AuthenticationScheme)
    .Configure<TicketsInMemory>((options, tickets) => options.SessionStore = tickets);

builder.Services.AddAuthorization();

var app = builder.Build();
app.UseStaticFiles();
app.UseAuthentication();
app.UseAuthorization();
app.MapRazorPages();
await app.RunAsync();
