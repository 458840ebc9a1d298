using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace IdentityServer.Protocol.RevocationFeed;

/// <summary>How many streams a node holds open: a number for each client, and one for all.</summary>
internal sealed class StreamPlaces
{
    public const int PerClient = 64;
    private const int PerNode = 1024;

    private static readonly UpDownCounter<int> Open = new Meter("IdentityServer")
        .CreateUpDownCounter<int>("identity_revocation_streams", "{stream}", "Open streams of the revocation feed.");

    private readonly ConcurrentDictionary<string, int> _ofClients = new(StringComparer.Ordinal);
    private int _taken;

    public bool TryTake(string clientId)
    {
        if (Interlocked.Increment(ref _taken) > PerNode)
        {
            Interlocked.Decrement(ref _taken);
            return false;
        }

        if (_ofClients.AddOrUpdate(clientId, 1, (_, taken) => taken + 1) > PerClient)
        {
            Leave(clientId);
            return false;
        }

        Open.Add(1);
        return true;
    }

    public void Free(string clientId)
    {
        Leave(clientId);
        Open.Add(-1);
    }

    private void Leave(string clientId)
    {
        Interlocked.Decrement(ref _taken);
        if (_ofClients.AddOrUpdate(clientId, 0, (_, taken) => taken - 1) == 0)
        {
            _ofClients.TryRemove(new(clientId, 0));
        }
    }
}
