using System.Net;
using System.Net.Sockets;

namespace IdentityServer.Throttling;

/// <summary>The network a request came from: what one subscriber usually has.</summary>
public static class Networks
{
    /// <summary>The network in CIDR form: /24 of IPv4, /48 of IPv6; <c>none</c> without an address.</summary>
    public static string Of(IPAddress? address)
    {
        if (address is null)
        {
            return "none";
        }

        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        var length = plain.AddressFamily == AddressFamily.InterNetwork ? 24 : 48;
        var octets = plain.GetAddressBytes();
        Array.Clear(octets, length / 8, octets.Length - (length / 8));
        return $"{new IPAddress(octets)}/{length}";
    }
}
