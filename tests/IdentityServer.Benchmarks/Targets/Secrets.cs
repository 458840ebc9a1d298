using System.Buffers.Text;
using System.Security.Cryptography;

namespace IdentityServer.Benchmarks.Targets;

internal static class Secrets
{
    public static string New() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
}
