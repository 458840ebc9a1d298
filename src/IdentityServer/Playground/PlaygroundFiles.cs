using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using IdentityServer.Layout;
using Microsoft.Net.Http.Headers;

namespace IdentityServer.Playground;

/// <summary>The playground's page, style and scripts. They are resources of the assembly, so no server serves them by accident.</summary>
internal sealed class PlaygroundFiles
{
    private const string Prefix = "playground/";
    private const string PageName = "playground.html";

    private readonly FrozenDictionary<string, PlaygroundFile> _files;

    public PlaygroundFiles(Assets shared)
    {
        var assembly = typeof(PlaygroundFiles).Assembly;
        var files = assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
            .ToDictionary(name => name[Prefix.Length..], name => Read(assembly.GetManifestResourceStream(name)!), StringComparer.Ordinal);

        // The look is the hosted pages': their files have addresses with a version in them, and a deployment's own style comes after.
        var brand = shared.HasBrand ? $"<link rel=\"stylesheet\" href=\"{shared["brand.css"]}\">" : "";
        Page = Encoding.UTF8.GetString(files[PageName])
            .Replace("/identity.css", shared["identity.css"], StringComparison.Ordinal)
            .Replace("/icon.svg", shared["icon.svg"], StringComparison.Ordinal)
            .Replace("<!-- brand -->", brand, StringComparison.Ordinal);
        _files = files.Where(file => file.Key != PageName)
            .ToFrozenDictionary(file => file.Key, file => PlaygroundFile.Of(file.Key, file.Value), StringComparer.Ordinal);
    }

    public string Page { get; }

    public PlaygroundFile? Find(string name) => _files.GetValueOrDefault(name);

    private static byte[] Read(Stream stream)
    {
        using (stream)
        {
            using var buffer = new MemoryStream();
            stream.CopyTo(buffer);
            return buffer.ToArray();
        }
    }
}

/// <summary>A style sheet or script.</summary>
internal sealed record PlaygroundFile(byte[] Content, string ContentType, EntityTagHeaderValue ETag)
{
    public static PlaygroundFile Of(string name, byte[] content) => new(
        content,
        name.EndsWith(".css", StringComparison.Ordinal) ? "text/css; charset=utf-8" : "text/javascript; charset=utf-8",
        new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(content))[..16]}\""));
}
