// An API that accepts access tokens: the whole of it. Copy lines 1 to the first endpoint.
using Api;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization;

var builder = WebApplication.CreateBuilder(args);

builder.Services
    .AddAuthentication(JwtBearerDefaults.AuthenticationScheme)
    .AddJwtBearer(options =>
    {
        // The issuer. Its metadata says where its keys are; both are fetched on first use and again when a token names an unknown key,
        // so a key rollover needs nothing here.
        options.Authority = builder.Configuration["Authority"];

        // Only tokens made for this API. Without it, a token meant for any other API would open this one.
        options.Audience = "orders-api";

        // An access token says so in its type (RFC 9068 §2.1). An ID token, signed by the same issuer, is no key to an API.
        options.TokenValidationParameters.ValidTypes = ["at+jwt"];

        // What the issuer signs access tokens with; nothing else, whatever the token's header claims.
        options.TokenValidationParameters.ValidAlgorithms = ["ES256", "RS256"];

        // Expired means expired: the default would let a token live five minutes longer.
        options.TokenValidationParameters.ClockSkew = TimeSpan.FromSeconds(5);

        // Claims keep the names they have in the token: sub stays sub.
        options.MapInboundClaims = false;
        options.TokenValidationParameters.NameClaimType = "sub";

        // Keys fetched over plain HTTP could be anyone's. Off only for the demo on this machine.
        options.RequireHttpsMetadata = !builder.Environment.IsDevelopment();

        // A token that is good but not for this gets 403 and the name of the scope it lacks (RFC 6750 §3.1).
        // A token that is not good at all gets 401 and the reason; JwtBearer answers that by itself.
        options.Events = new JwtBearerEvents
        {
            OnForbidden = context =>
            {
                var scope = context.HttpContext.GetEndpoint()?.Metadata.GetMetadata<IAuthorizeData>()?.Policy;
                context.Response.Headers.WWWAuthenticate = $"Bearer error=\"insufficient_scope\", scope=\"{scope}\"";
                return Task.CompletedTask;
            },
        };
    });

// Deny by default: an endpoint that names no policy still wants a token. Each policy is named after the scope it asks for.
var authorization = builder.Services.AddAuthorizationBuilder();
authorization.SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
foreach (var scope in new[] { "orders.read", "orders.write" })
{
    // The scopes are one claim, separated by spaces (RFC 9068 §2.2.3).
    authorization.AddPolicy(scope, policy => policy.RequireAuthenticatedUser().RequireAssertion(
        context => context.User.FindFirst("scope")?.Value.Split(' ').Contains(scope) == true));
}

var app = builder.Build();

var orders = new List<Order> { new(1, "Two chairs"), new(2, "A reading lamp") };
var gate = new Lock();

app.MapGet("/", () => "Orders. Ask for /orders with an access token.").AllowAnonymous();

app.MapGet("/orders", () =>
{
    lock (gate)
    {
        return orders.ToArray();
    }
}).RequireAuthorization("orders.read");

app.MapPost("/orders", (NewOrder wanted) =>
{
    if (wanted.What is not { Length: > 0 and <= 100 } what)
    {
        return Results.ValidationProblem(
            new Dictionary<string, string[]>(StringComparer.Ordinal) { ["what"] = ["Say what to order, in 1 to 100 characters."] });
    }

    lock (gate)
    {
        var order = new Order(orders.Max(known => (int?)known.Id).GetValueOrDefault() + 1, what);
        orders.Add(order);
        return Results.Created($"/orders/{order.Id}", order);
    }
}).RequireAuthorization("orders.write");

// Who cancels shows two factors, at most ten minutes old.
app.MapDelete("/orders/{id:int}", (int id) =>
{
    lock (gate)
    {
        return orders.RemoveAll(order => order.Id == id) > 0 ? Results.NoContent() : Results.NotFound();
    }
}).RequireAuthorization("orders.write").RequireTwoFactors(TimeSpan.FromMinutes(10));

await app.RunAsync();
