using System.Net;
using System.Net.Http.Headers;
using IdentityServer.ResourceServer;
using IdentityServer.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace IdentityServer.Benchmarks.Cluster;

/// <summary>An API in this process that checks tokens by itself and follows the feed, with the package that APIs use.</summary>
internal sealed class Follower : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _http;
    private readonly Uri _address;

    private Follower(WebApplication app, HttpClient http)
    {
        (_app, _http) = (app, http);
        _address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
    }

    /// <param name="client">By which it follows; its id is the audience.</param>
    /// <param name="http">Asks the API.</param>
    /// <param name="ct">Gives up.</param>
    public static async Task<Follower> StartAsync(RelyingParty client, HttpClient http, CancellationToken ct)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseSetting("urls", "http://127.0.0.1:0");
        builder.Services.AddAuthentication().AddIdentityServerTokens(client.Provider.Issuer, client.ClientId, options =>
        {
            options.RequireHttps = false;
            options.ClientId = client.ClientId;
            options.ClientSecret = client.Secret;
        });
        builder.Services.AddAuthorization();
        var app = builder.Build();
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapGet("/", () => "").RequireAuthorization();
        await app.StartAsync(ct);
        return new Follower(app, http);
    }

    /// <summary>Whether it takes the token; <see langword="null"/>: it says neither.</summary>
    public async Task<bool?> TakesAsync(string token, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, _address);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var response = await _http.SendAsync(request, ct);
        return response.StatusCode switch
        {
            HttpStatusCode.OK => true,
            HttpStatusCode.Unauthorized => false,
            _ => null,
        };
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}
