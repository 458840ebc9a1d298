using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using IdentityServer.Protocol.Keys;
using IdentityServer.Storage.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;
using Microsoft.Extensions.Options;

namespace IdentityServer.Keys;

/// <summary>The Data Protection ring lives in the database, sealed under the master key: cookies work on every node and after a restart.</summary>
internal static class DataProtectionRing
{
    internal const string Context = "data-protection-key";
    private const string ElementName = "masterKeySealed";

    public static IServiceCollection AddDataProtectionRing(this IServiceCollection services)
    {
        services.AddDataProtection(options => options.ApplicationDiscriminator = "IdentityServer");
        services.AddSingleton<IConfigureOptions<KeyManagementOptions>>(provider =>
            new ConfigureOptions<KeyManagementOptions>(options =>
            {
                options.XmlRepository = provider.GetRequiredService<IXmlRepository>();
                options.XmlEncryptor = new Encryptor(provider.GetRequiredService<IKeyProtector>());
            }));
        return services;
    }

    public static bool TryParse(DataProtectionKey row, [NotNullWhen(true)] out XElement? element)
    {
        try
        {
            element = XElement.Parse(row.Xml, LoadOptions.PreserveWhitespace);
            return true;
        }
        catch (XmlException)
        {
            element = null;
            return false;
        }
    }

    /// <summary>What of a row the master key sealed.</summary>
    public static IEnumerable<XElement> SealedParts(XElement row) => row.Descendants(ElementName);

    public static bool TryReadBox(XElement part, [NotNullWhen(true)] out byte[]? box)
    {
        try
        {
            box = Convert.FromBase64String(part.Value);
            return true;
        }
        catch (FormatException)
        {
            box = null;
            return false;
        }
    }

    private sealed class Encryptor(IKeyProtector protector) : IXmlEncryptor
    {
        public EncryptedXmlInfo Encrypt(XElement plaintextElement)
        {
            var box = protector.Seal(Encoding.UTF8.GetBytes(plaintextElement.ToString(SaveOptions.DisableFormatting)), Context);
            return new(new XElement(ElementName, Convert.ToBase64String(box)), typeof(Decryptor));
        }
    }

    /// <summary>Created by ASP.NET Core through its name in the stored XML.</summary>
    internal sealed class Decryptor(IServiceProvider services) : IXmlDecryptor
    {
        public XElement Decrypt(XElement encryptedElement)
        {
            var box = Convert.FromBase64String(encryptedElement.Value);
            return services.GetRequiredService<IKeyProtector>().TryOpen(box, Context, out var secret)
                ? XElement.Parse(Encoding.UTF8.GetString(secret))
                : throw new InvalidOperationException("The master key does not open this Data Protection key.");
        }
    }
}
