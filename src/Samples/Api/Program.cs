// An API that accepts access tokens and refuses what has ended: the whole of it. Copy lines 1 to the first endpoint.
using Api;
using IdentityServer.ResourceServer;
using Microsoft.AspNetCore.Authorization;

var builder = WebApplication.CreateBuilder(args);

// The issuer, and this API's own name: a token made for any other API opens nothing here. Keys are fetched ahead of time and again when a
// token names an unknown one, so a key rollover needs nothing here.
builder.Services.AddAuthentication().AddIdentityServerTokens(builder.Configuration["Authority"] ?? "", "orders-api", options =>
{
    // This API's own client at the server, with the scope "revocations": what the server ends is refused here within a second.
    options.ClientId = builder.Configuration["ClientId"];
    options.ClientSecret = builder.Configuration["ClientSecret"];

    // While the server says nothing, nobody knows what has ended: 503 until it does. The other choice is AcceptUntilExpiry.
    options.WhenFeedIsSilent = SilentFeed.FailClosed;

    // Keys fetched over plain HTTP could be anyone's. Off only for the demo on this machine.
    options.RequireHttps = !builder.Environment.IsDevelopment();
});

// Deny by default: an endpoint that names no policy still wants a token. Each policy is named after the scope it asks for; who lacks it
// gets 403 and the name of the scope (RFC 6750 §3.1).
var authorization = builder.Services.AddAuthorizationBuilder();
authorization.SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
foreach (var scope in new[] { "orders.read", "orders.write" })
{
    authorization.AddPolicy(scope, policy => policy.RequireScope(scope));
}

var app = builder.Build();

var orders = new List<Order> { new(1, "Two chairs"), new(2, "A reading lamp") };
var gate = new Lock();

// Ready when tokens can be judged: the keys are there, and the feed speaks.
app.MapHealthChecks("/health").AllowAnonymous();

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
