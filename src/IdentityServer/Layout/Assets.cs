using System.Collections.Frozen;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace IdentityServer.Layout;

/// <summary>
/// The few files the pages need. They travel inside the assembly, so that it does not matter where the server was started
/// from; the version in their address is the hash of their content, so that browsers may keep them for good.
/// </summary>
public sealed class Assets
{
    private const string Prefix = "wwwroot/";

    private static readonly FrozenDictionary<string, string> Types = new Dictionary<string, string>
    {
        [".css"] = "text/css; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".svg"] = "image/svg+xml",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private readonly FrozenDictionary<string, Asset> _assets;

    public Assets(Brand brand)
    {
        var assembly = typeof(Assets).Assembly;
        var assets = assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(name => Asset.Of(name[Prefix.Length..], Read(assembly.GetManifestResourceStream(name)!), Types[Path.GetExtension(name)]))
            .ToList();

        var logo = brand.Logo is { } file ? Asset.Of("logo", file.Bytes, file.ContentType) : null;
        if (logo is not null)
        {
            assets.Add(logo);
        }

        HasBrand = brand.StyleSheet(logo?.Address) is { Length: > 0 } css;
        if (HasBrand)
        {
            assets.Add(Asset.Of("brand.css", Encoding.UTF8.GetBytes(brand.StyleSheet(logo?.Address)), Types[".css"]));
        }

        _assets = assets.ToFrozenDictionary(asset => asset.Name, StringComparer.Ordinal);
    }

    /// <summary>True when the deployment set style values of its own: link <c>brand.css</c> after <c>identity.css</c>.</summary>
    public bool HasBrand { get; }

    /// <summary>The file's address, with its version in it.</summary>
    public string this[string name] => _assets[name].Address;

    /// <summary>Answers with the file; an address of another version (an older page, a newer node) gets ours, to be asked for again.</summary>
    public Results<FileContentHttpResult, NotFound> Get(HttpContext http, string version, string name)
    {
        if (!_assets.TryGetValue(name, out var asset))
        {
            return TypedResults.NotFound();
        }

        var headers = http.Response.Headers;
        headers.CacheControl = version == asset.Version ? "public, max-age=31536000, immutable" : "no-cache";
        headers.Vary = HeaderNames.AcceptEncoding;
        var (body, encoding) = asset.For(http.Request.GetTypedHeaders().AcceptEncoding);
        headers.ContentEncoding = encoding;
        return TypedResults.Bytes(body, asset.ContentType);
    }

    private static byte[] Read(Stream stream)
    {
        using var buffer = new MemoryStream();
        using (stream)
        {
            stream.CopyTo(buffer);
        }

        return buffer.ToArray();
    }

    private sealed record Asset(string Name, string ContentType, string Version, byte[] Plain, byte[] Brotli, byte[] Gzip)
    {
        public string Address => $"/assets/{Version}/{Name}";

        public static Asset Of(string name, byte[] content, string contentType) => new(
            name,
            contentType,
            Convert.ToHexStringLower(SHA256.HashData(content))[..12],
            content,
            Compress(content, buffer => new BrotliStream(buffer, CompressionLevel.SmallestSize)),
            Compress(content, buffer => new GZipStream(buffer, CompressionLevel.SmallestSize)));

        public (byte[] Body, string? Encoding) For(IList<StringWithQualityHeaderValue> accepted) =>
            Accepts(accepted, "br") ? (Brotli, "br") : Accepts(accepted, "gzip") ? (Gzip, "gzip") : (Plain, null);

        private static bool Accepts(IList<StringWithQualityHeaderValue> accepted, string encoding) =>
            accepted.Any(value => value.Value.Equals(encoding, StringComparison.OrdinalIgnoreCase) && value.Quality is null or > 0);

        private static byte[] Compress(byte[] content, Func<Stream, Stream> compressor)
        {
            using var buffer = new MemoryStream();
            using (var stream = compressor(buffer))
            {
                stream.Write(content);
            }

            return buffer.ToArray();
        }
    }
}
