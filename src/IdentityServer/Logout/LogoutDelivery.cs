using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Issuance;
using IdentityServer.Storage.Logout;

namespace IdentityServer.Logout;

/// <summary>
/// Hands a logout token to the client (OpenID Connect Back-Channel Logout 1.0 §2.5). The call goes to the registered address and nowhere
/// else: no redirect is followed, no cookie kept, nothing of the answer's body read.
/// </summary>
internal sealed class LogoutDelivery : IDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>The client is gone, or wants to be told no more.</summary>
    public const string NotRegistered = "not_registered";

    private readonly LogoutTokens _tokens;
    private readonly LogoutReach _reach;
    private readonly TimeProvider _clock;
    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        ConnectTimeout = Patience,
        MaxResponseHeadersLength = 16,
        MaxResponseDrainSize = 4096,
        MaxConnectionsPerServer = 8,
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),

        // Nothing of this server's own tracing is for others.
        ActivityHeadersPropagator = null,
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    public LogoutDelivery(LogoutTokens tokens, LogoutReach reach, TimeProvider clock)
    {
        (_tokens, _reach, _clock) = (tokens, reach, clock);
        _http.DefaultRequestHeaders.UserAgent.ParseAdd("IdentityServer");
    }

    /// <summary><see langword="null"/> when the client took it; otherwise why not, in a fixed word or a status.</summary>
    public async ValueTask<string?> SendAsync(LogoutNotice notice, Client? client, CancellationToken ct)
    {
        if (client?.BackChannelLogoutUri is not { } uri)
        {
            return NotRegistered;
        }

        if (!_reach.Covers(uri))
        {
            return "not_https";
        }

        using var patience = new CancellationTokenSource(Patience, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
        try
        {
            var token = _tokens.Sign(client, notice.Id, notice.Subject, notice.SessionId, _clock.GetUtcNow());
            using var request = new HttpRequestMessage(HttpMethod.Post, uri)
            {
                Content = new FormUrlEncodedContent([new("logout_token", token)]),
            };
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            var status = (int)response.StatusCode;
            return status is StatusCodes.Status200OK or StatusCodes.Status204NoContent ? null : $"status_{status}";
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return "timeout";
        }
        catch (HttpRequestException error)
        {
            return error.HttpRequestError switch
            {
                HttpRequestError.NameResolutionError => "unknown_host",
                HttpRequestError.ConnectionError => "unreachable",
                HttpRequestError.SecureConnectionError => "tls",
                _ => "broken_answer",
            };
        }
    }

    public void Dispose() => _http.Dispose();
}
