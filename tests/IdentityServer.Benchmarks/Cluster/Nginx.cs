using System.Globalization;
using IdentityServer.Benchmarks.Load;
using IdentityServer.Benchmarks.Targets;

namespace IdentityServer.Benchmarks.Cluster;

/// <summary>nginx before the nodes, as Debian packages it: each request goes to one of them at random.</summary>
internal sealed class Nginx : IAsyncDisposable
{
    private const string Debian = "/usr/sbin/nginx";
    private readonly DirectoryInfo _folder;
    private readonly MeasuredProcess _process;

    private Nginx(DirectoryInfo folder, MeasuredProcess process) => (_folder, _process) = (folder, process);

    public static async Task<Nginx> StartAsync(Uri address, IReadOnlyList<Uri> nodes, HttpClient http, CancellationToken ct)
    {
        var folder = Directory.CreateTempSubdirectory("nginx-");
        var configuration = Path.Combine(folder.FullName, "nginx.conf");
        await File.WriteAllTextAsync(configuration, Configure(folder.FullName, address, nodes), ct);
        var nginx = new Nginx(
            folder, MeasuredProcess.Start(Program(), ["-p", folder.FullName, "-e", "stderr", "-c", configuration], []));
        await Readiness.WaitAsync(nginx._process, http, new Uri(address, "/health/ready"), ct);
        return nginx;
    }

    public static async Task<string> VersionAsync(CancellationToken ct) =>
        await MeasuredProcess.RunAsync("sh", ["-c", $"{Program()} -v 2>&1"], [], ct) is var said && said.Contains('/', StringComparison.Ordinal)
            ? "nginx " + said.Trim().Split('/')[^1]
            : "nginx";

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private static string Program() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, "nginx"))
            .Append(Debian)
            .FirstOrDefault(File.Exists)
        ?? throw new InvalidOperationException("nginx was not found. Install it (Debian: apt-get install nginx).");

    private static string Configure(string folder, Uri address, IReadOnlyList<Uri> nodes)
    {
        var upstream = string.Join(' ', nodes.Select(node => $"server {node.Authority};"));
        var temporary = string.Join(
            ' ', new[] { "client_body", "proxy", "fastcgi", "uwsgi", "scgi" }.Select(what => $"{what}_temp_path {folder}/{what};"));
        return string.Create(
            CultureInfo.InvariantCulture,
            $$"""
            {{(Environment.IsPrivilegedProcess ? "user root;" : "")}}
            daemon off;
            worker_processes 1;
            pid {{folder}}/pid;
            events { worker_connections 4096; }
            http {
              access_log off;
              {{temporary}}
              upstream nodes { random; {{upstream}} keepalive 64; }
              server {
                listen {{address.Authority}};
                location / {
                  proxy_pass http://nodes;
                  proxy_http_version 1.1;
                  proxy_set_header Connection "";
                  proxy_set_header Host $http_host;
                  proxy_set_header X-Forwarded-For $remote_addr;
                }
              }
            }
            """);
    }
}
