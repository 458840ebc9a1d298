using System.Security.Cryptography;
using IdentityServer.Protocol.Keys;

namespace IdentityServer.Testing;

/// <summary>
/// Gives a server its first RSA keys out of a few that all servers of this process share: hundreds start here, and to find primes is most of
/// what a start costs. Servers that start one after the other have different ones; what a server makes later is its own.
/// </summary>
internal sealed class ReadyRsaKeys : RsaKeys
{
    private const int Shared = 16;
    private const int PerServer = 2;

    private static readonly Lazy<byte[]>[] _ready =
        [.. Enumerable.Range(0, Shared).Select(_ => new Lazy<byte[]>(Make))];

    private static int _servers;

    private readonly int _first = Interlocked.Increment(ref _servers) * PerServer;
    private int _given;

    public override RSA Create()
    {
        var given = Interlocked.Increment(ref _given) - 1;
        if (given >= PerServer)
        {
            return base.Create();
        }

        var key = RSA.Create();
        key.ImportPkcs8PrivateKey(_ready[(_first + given) % Shared].Value, out _);
        return key;
    }

    private static byte[] Make()
    {
        using var key = RSA.Create(Size);
        return key.ExportPkcs8PrivateKey();
    }
}
