using System.Security.Cryptography;

namespace IdentityServer.Protocol.Keys;

/// <summary>
/// Where RSA key pairs come from. To find the primes of one takes half a second of a processor: the one cost here that somebody may want
/// to pay elsewhere.
/// </summary>
public class RsaKeys
{
    /// <summary>Bits of the modulus (ASVS 11.2.3: at least 112 bits of security, here 128).</summary>
    public const int Size = 3072;

    /// <summary>A new key pair of <see cref="Size"/>; the caller owns it.</summary>
    public virtual RSA Create() => RSA.Create(Size);
}
