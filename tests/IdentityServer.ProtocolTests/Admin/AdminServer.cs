using System.Collections.Frozen;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using IdentityServer.Protocol.Clients;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Admin;

/// <summary>A server with a service and an app that may use the admin API, and people with and without a role.</summary>
public sealed class AdminServer : IAsyncLifetime
{
    private static readonly FrozenSet<string> _scopes =
        FrozenSet.Create(StringComparer.Ordinal, "openid", "offline_access", "admin:keys", "admin:people", "admin:sessions", "api:read");

    public ServerFixture Server { get; private set; } = null!;

    /// <summary>May administer the keys for itself.</summary>
    public RelyingParty Service { get; private set; } = null!;

    /// <summary>The same with reference tokens.</summary>
    public RelyingParty ReferenceService { get; private set; } = null!;

    /// <summary>Through it people may.</summary>
    public RelyingParty App { get; private set; } = null!;

    /// <summary>With the role operator.</summary>
    public Person Olga { get; private set; } = null!;

    /// <summary>With the role auditor.</summary>
    public Person Ada { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var ct = TestContext.Current.CancellationToken;
        Server = await ServerFixture.StartAsync(ct);
        await Server.AddApiAsync("api", ct, "api:read");
        var service = new Client
        {
            Id = "keys-service",
            Type = ClientType.Service,
            Name = "Looks after the keys",
            AuthMethod = ClientAuthMethods.Basic,
            GrantTypes = FrozenSet.Create(StringComparer.Ordinal, GrantTypes.ClientCredentials),
            Scopes = FrozenSet.Create(StringComparer.Ordinal, "admin:keys", "admin:people", "admin:sessions", "api:read"),
        };
        Service = await Server.AddClientAsync(service, ct);
        ReferenceService = await Server.AddClientAsync(
            service with { Id = "keys-reference", TokenFormat = TokenFormat.Reference }, ct);
        App = await Server.AddWebAppAsync("keys-app", ct, client => client with { RequireConsent = false, Scopes = _scopes });
        Olga = await Server.GiveAppAsync(await Server.AddPersonAsync("olga", ct, "operator"), ct);
        Ada = await Server.AddPersonAsync("ada", ct, "auditor");
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    /// <summary>A fresh token of the service.</summary>
    public async Task<string> TokenAsync(CancellationToken ct) =>
        (await Service.ClientCredentialsAsync("admin:keys", ct)).AccessToken!;

    public Task<AdminReply> GetAsync(string path, CancellationToken ct) => CallAsync("GET", path, null, ct);

    public Task<AdminReply> PostAsync(string path, string? body, CancellationToken ct) => CallAsync("POST", path, body, ct);

    /// <summary>A call with a fresh token of the service.</summary>
    public async Task<AdminReply> CallAsync(string method, string path, string? body, CancellationToken ct) =>
        await CallAsync(method, path, body, $"Bearer {await TokenAsync(ct)}", ct);

    /// <summary>A call with any header, or none.</summary>
    public async Task<AdminReply> CallAsync(
        string method, string path, string? body, string? authorization, CancellationToken ct, string contentType = "application/json")
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(Server.Address, "/admin/api/v1" + path));
        if (authorization is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        }

        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
            request.Headers.ExpectContinue = body.Length > 60_000;
        }

        using var response = await Server.Http.SendAsync(request, ct);
        var text = await response.Content.ReadAsStringAsync(ct);
        return new AdminReply(
            (int)response.StatusCode,
            response.Content.Headers.ContentType?.MediaType,
            text.Length == 0 ? null : JsonNode.Parse(text),
            response);
    }

    /// <summary>As the API writes it.</summary>
    public static string Text(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}

/// <summary>What the admin API answered.</summary>
public sealed record AdminReply(int Status, string? MediaType, JsonNode? Json, HttpResponseMessage Response)
{
    public string? this[string member] => Json is JsonObject json && json[member] is JsonValue value ? value.ToString() : null;

    public string Challenge => Response.Headers.WwwAuthenticate.ToString();

    /// <summary>A problem as RFC 9457 has it, never to be kept.</summary>
    public void IsProblem(int status, string code)
    {
        Assert.Equal((status, code), (Status, this["code"]));
        Assert.Equal("application/problem+json", MediaType);
        Assert.Equal(status, (int)Json!["status"]!);
        Assert.Equal("urn:identityserver:" + code, this["type"]);
        Assert.False(string.IsNullOrEmpty(this["title"]));
        Assert.False(string.IsNullOrEmpty(this["detail"]));
        Assert.Equal("no-store", Response.Headers.CacheControl?.ToString());
        Assert.True(Response.Headers.Contains("X-Request-Id"));
    }

    public override string ToString() => $"{Status} {Json}";
}
