using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace IdentityServer.Benchmarks.Micro;

/// <summary>
/// What an ES256 access token costs when <see cref="JsonWebTokenHandler"/> writes it and when it is assembled by hand,
/// beside the bare signature. Decides whether the house rule "no hand-written JWTs" costs more than the tenth we allow.
/// </summary>
internal static class JwtSigning
{
    private const string Issuer = "https://id.example.test";
    private const string Audience = "https://api.example.test";
    private static readonly JsonWebTokenHandler Handler = new() { SetDefaultTimesOnTokenCreation = false };

    public static void Run(TextWriter output)
    {
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var handlerCredentials = new SigningCredentials(
            new ECDsaSecurityKey(ecdsa) { KeyId = "es-2025-11-21" }, SecurityAlgorithms.EcdsaSha256);
        var header = Base64Url.EncodeToString("""{"alg":"ES256","kid":"es-2025-11-21","typ":"at+jwt"}"""u8);
        var input = RandomNumberGenerator.GetBytes(400);
        var digest = RandomNumberGenerator.GetBytes(32);

        var cases = new (string Name, Action Body)[]
        {
            ("bare SignHash", () => SignHash(ecdsa, digest)),
            ("bare SignData (400 bytes, SHA-256)", () => SignData(ecdsa, input)),
            ("handler, new descriptor and dictionary", () => ByHandler(handlerCredentials)),
            ("handler, payload string + credentials", () => ByHandlerFromPayload(handlerCredentials)),
            ("by hand, Utf8JsonWriter + SignData", () => ByHand(ecdsa, header)),
        };

        foreach (var threads in (int[])[1, Environment.ProcessorCount])
        {
            var micros = Measure(cases.Select(one => one.Body).ToArray(), threads, rounds: 7);
            output.WriteLine($"{threads} thread(s), median of 7 alternating rounds:");
            for (var i = 0; i < cases.Length; i++)
            {
                output.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"  {cases[i].Name,-42} {micros[i].Micros,7:F2} us  {micros[i].Bytes,6:F0} B  {threads * 1e6 / micros[i].Micros,8:F0}/s"));
            }
        }
    }

    private static (double Micros, double Bytes)[] Measure(Action[] bodies, int threads, int rounds)
    {
        var results = bodies.Select(_ => new List<(double Micros, double Bytes)>()).ToArray();
        foreach (var body in bodies)
        {
            Time(body, threads, TimeSpan.FromMilliseconds(400));
        }

        for (var round = 0; round < rounds; round++)
        {
            for (var i = 0; i < bodies.Length; i++)
            {
                results[i].Add(Time(bodies[i], threads, TimeSpan.FromMilliseconds(250)));
            }
        }

        return results
            .Select(list => (list.Select(x => x.Micros).Order().ElementAt(rounds / 2), list.Select(x => x.Bytes).Order().ElementAt(rounds / 2)))
            .ToArray();
    }

    private static (double Micros, double Bytes) Time(Action body, int threads, TimeSpan span)
    {
        var done = new long[threads];
        var allocated = GC.GetTotalAllocatedBytes();
        var watch = Stopwatch.StartNew();
        var workers = Enumerable.Range(0, threads).Select(index => new Thread(() =>
        {
            var count = 0L;
            while (watch.Elapsed < span)
            {
                for (var i = 0; i < 20; i++)
                {
                    body();
                }

                count += 20;
            }

            done[index] = count;
        })).ToArray();
        foreach (var worker in workers)
        {
            worker.Start();
        }

        foreach (var worker in workers)
        {
            worker.Join();
        }

        var elapsed = watch.Elapsed.TotalMicroseconds;
        var total = done.Sum();
        return (elapsed * threads / total, (double)(GC.GetTotalAllocatedBytes() - allocated) / total);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SignHash(ECDsa ecdsa, byte[] digest)
    {
        Span<byte> signature = stackalloc byte[64];
        ecdsa.SignHash(digest, signature, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SignData(ECDsa ecdsa, byte[] data)
    {
        Span<byte> signature = stackalloc byte[64];
        ecdsa.SignData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    private static string ByHandler(SigningCredentials credentials)
    {
        var now = TimeProvider.System.GetUtcNow();
        return Handler.CreateToken(new SecurityTokenDescriptor
        {
            TokenType = "at+jwt",
            Issuer = Issuer,
            Audience = Audience,
            IssuedAt = now.UtcDateTime,
            Expires = now.AddMinutes(10).UtcDateTime,
            SigningCredentials = credentials,
            Claims = new Dictionary<string, object>(StringComparer.Ordinal)
            {
                ["sub"] = "bench",
                ["client_id"] = "bench",
                ["jti"] = Guid.CreateVersion7(now).ToString("N"),
                ["scope"] = "bench.read",
            },
        });
    }

    private static string ByHandlerFromPayload(SigningCredentials credentials)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        WritePayload(buffer);
        return Handler.CreateToken(
            Encoding.UTF8.GetString(buffer.WrittenSpan),
            credentials,
            new Dictionary<string, object>(StringComparer.Ordinal) { ["typ"] = "at+jwt" });
    }

    private static string ByHand(ECDsa ecdsa, string header)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        WritePayload(buffer);
        var payload = buffer.WrittenSpan;

        Span<byte> token = stackalloc byte[1024];
        var length = Encoding.ASCII.GetBytes(header, token);
        token[length++] = (byte)'.';
        length += Base64Url.EncodeToUtf8(payload, token[length..]);

        Span<byte> signature = stackalloc byte[64];
        ecdsa.SignData(token[..length], signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        token[length++] = (byte)'.';
        length += Base64Url.EncodeToUtf8(signature, token[length..]);
        return Encoding.ASCII.GetString(token[..length]);
    }

    private static void WritePayload(ArrayBufferWriter<byte> buffer)
    {
        var now = TimeProvider.System.GetUtcNow();
        using var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true });
        json.WriteStartObject();
        json.WriteString("iss"u8, Issuer);
        json.WriteString("aud"u8, Audience);
        json.WriteNumber("iat"u8, now.ToUnixTimeSeconds());
        json.WriteNumber("exp"u8, now.AddMinutes(10).ToUnixTimeSeconds());
        json.WriteString("sub"u8, "bench");
        json.WriteString("client_id"u8, "bench");
        json.WriteString("jti"u8, Guid.CreateVersion7(now).ToString("N"));
        json.WriteString("scope"u8, "bench.read");
        json.WriteEndObject();
    }
}
