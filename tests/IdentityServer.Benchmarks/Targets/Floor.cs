using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace IdentityServer.Benchmarks.Targets;

/// <summary>
/// The least that any token endpoint on this stack does: a bare Kestrel that reads the form, makes one ES256 signature and answers JSON,
/// and a GET that answers two prepared kilobytes. Runs as a process of its own.
/// </summary>
internal static class Floor
{
    private static readonly ECDsa Key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public static async Task RunAsync(int port, CancellationToken ct)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.Services.Configure<KestrelServerOptions>(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, port);
        });

        await using var app = builder.Build();
        var document = Document();
        app.Run(context => HttpMethods.IsPost(context.Request.Method)
            ? SignAsync(context)
            : SendAsync(context, document));
        await ((IHost)app).RunAsync(ct);
    }

    private static async Task SignAsync(HttpContext context)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        await SendAsync(context, Sign(form["scope"].ToString()));
    }

    private static byte[] Sign(string scope)
    {
        var input = Encoding.UTF8.GetBytes($"{scope}.{Padding}");
        Span<byte> signature = stackalloc byte[64];
        Key.SignData(input, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        return Encoding.UTF8.GetBytes($$"""{"access_token":"{{Padding}}.{{Base64Url.EncodeToString(signature)}}"}""");
    }

    // As long as the header and payload of an access token.
    private static readonly string Padding = new('a', 320);

    private static async Task SendAsync(HttpContext context, byte[] body)
    {
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        await context.Response.BodyWriter.WriteAsync(body, context.RequestAborted);
    }

    private static byte[] Document() => JsonSerializer.SerializeToUtf8Bytes(
        Enumerable.Range(0, 32).ToDictionary(i => $"some_metadata_{i:D2}", _ => new string('x', 40)));
}
