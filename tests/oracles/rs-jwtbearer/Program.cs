// A stock ASP.NET Core API as resource server. Environment: ISSUER, AUDIENCE, ASPNETCORE_URLS.
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.JwtBearer;

var builder = WebApplication.CreateBuilder(args);
builder.Logging.SetMinimumLevel(LogLevel.Warning);

var issuer = builder.Configuration["ISSUER"]
    ?? throw new InvalidOperationException("Set ISSUER to the server's issuer identifier.");
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
    });
builder.Services.AddAuthorization();

var app = builder.Build();
app.UseAuthentication();
app.UseAuthorization();
app.MapGet("/me", (ClaimsPrincipal caller) => caller.Claims.Select(claim => new { claim.Type, claim.Value }))
    .RequireAuthorization();
await app.RunAsync();
