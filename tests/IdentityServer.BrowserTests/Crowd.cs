using System.Threading.RateLimiting;
using IdentityServer.SignIn;
using IdentityServer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.BrowserTests;

/// <summary>So many who sign in at once that there is no room for another.</summary>
internal sealed class Crowd : IAsyncDisposable
{
    private readonly CancellationTokenSource _patience;
    private readonly List<Task<RateLimitLease>> _waiting = [];

    private Crowd(CancellationToken ct) => _patience = CancellationTokenSource.CreateLinkedTokenSource(ct);

    public static async Task<Crowd> GatherAsync(ServerFixture server, CancellationToken ct)
    {
        var turns = server.Services.GetRequiredService<PasswordTurns>();
        var crowd = new Crowd(ct);
        do
        {
            crowd._waiting.Add(turns.WaitAsync(isKnown: false, crowd._patience.Token).AsTask());
        }
        while (crowd._waiting[^1] is not { IsCompletedSuccessfully: true } last || (await last).IsAcquired);

        return crowd;
    }

    public async ValueTask DisposeAsync()
    {
        await _patience.CancelAsync();
        foreach (var turn in _waiting.Where(turn => turn.IsCompletedSuccessfully))
        {
            (await turn).Dispose();
        }

        _patience.Dispose();
    }
}
