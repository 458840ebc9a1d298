using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Pending;

namespace IdentityServer.SignIn;

/// <summary>A request that waits for the person at one of our pages, and the app that made it.</summary>
/// <param name="Handle">As it came in the page's address.</param>
/// <param name="Request">What was asked.</param>
/// <param name="App">Who asked; <see langword="null"/> for a sign-out that named nobody.</param>
public sealed record PausedRequest(string Handle, PendingRequest Request, Client? App)
{
    /// <summary>What the app sent under this name.</summary>
    public string? this[string parameter] => Request.Parameters.GetValueOrDefault(parameter);
}

/// <summary>Finds what a page's handle stands for.</summary>
public sealed class PausedRequests(PendingRequests pending, ClientDirectory clients)
{
    /// <summary>The request, or <see langword="null"/> when the handle is unknown or too old.</summary>
    public async ValueTask<PausedRequest?> FindAsync(string? handle, CancellationToken ct)
    {
        if (handle is null || await pending.FindAsync(handle, ct) is not { } request)
        {
            return null;
        }

        var app = request.ClientId is { } id ? await clients.FindAsync(id, ct) : null;
        return new PausedRequest(handle, request, app);
    }
}
