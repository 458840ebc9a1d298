// A stock ASP.NET Core API as resource server. Environment: ISSUER, AUDIENCE, ASPNETCORE_URLS. With KEY_CACHE_SECONDS its twelve hours
// between two fetches of the keys become so many seconds, and it does not fetch early for a key it does not know.
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;

var builder = WebApplication.CreateBuilder(args);
builder.Logging.SetMinimumLevel(LogLevel.Warning);

var issuer = builder.Configuration["ISSUER"]
    ?? throw new InvalidOperationException("Set ISSUER to the server's issuer identifier.");
var cache = builder.Configuration.GetValue("KEY_CACHE_SECONDS", 0);
builder.Services
    .AddAuthentication(JwtBearerDefaults.AuthenticationScheme)
    .AddJwtBearer(options =>
    {
        options.Authority = issuer;
        options.Audience = builder.Configuration["AUDIENCE"];
        options.RequireHttpsMetadata = issuer.StartsWith("https:", StringComparison.Ordinal);
        options.MapInboundClaims = false;
        options.TokenValidationParameters.ValidIssuer = issuer;
        options.TokenValidationParameters.ValidTypes = ["at+jwt", "application/at+jwt"];
        options.TokenValidationParameters.ValidAlgorithms = ["RS256", "PS256", "ES256"];
        options.TokenValidationParameters.ClockSkew = TimeSpan.FromSeconds(5);
        if (cache > 0)
        {
            options.RefreshOnIssuerKeyNotFound = false;
            options.RefreshInterval = TimeSpan.FromSeconds(1);
        }
    });
builder.Services.AddAuthorization();

var app = builder.Build();
app.UseAuthentication();
app.UseAuthorization();
app.MapGet("/me", (ClaimsPrincipal caller) => caller.Claims.Select(claim => new { claim.Type, claim.Value }))
    .RequireAuthorization();
// A request for fresh keys is what the handler itself makes when its time has come.
var bearer = app.Services.GetRequiredService<IOptionsMonitor<JwtBearerOptions>>().Get(JwtBearerDefaults.AuthenticationScheme);
var period = cache > 0 ? TimeSpan.FromSeconds(cache) : Timeout.InfiniteTimeSpan;
await using var fetching = new Timer(_ => bearer.ConfigurationManager!.RequestRefresh(), null, period, period);

await app.RunAsync();
