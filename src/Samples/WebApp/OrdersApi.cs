using System.Net.Http.Headers;

namespace WebApp;

/// <summary>The API of src/Samples/Api, called with the access token of the person who is signed in.</summary>
public sealed class OrdersApi(HttpClient http)
{
    public async Task<HttpResponseMessage> ListAsync(string accessToken, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/orders");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", accessToken);
        return await http.SendAsync(request, ct);
    }

    public async Task<HttpResponseMessage> CancelAsync(string accessToken, int id, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, $"/orders/{id}");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", accessToken);
        return await http.SendAsync(request, ct);
    }

    public async Task<HttpResponseMessage> PlaceAsync(string accessToken, string what, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/orders") { Content = JsonContent.Create(new { what }) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", accessToken);
        return await http.SendAsync(request, ct);
    }
}

/// <summary>An order as the API tells it.</summary>
public sealed record Order(int Id, string What);
