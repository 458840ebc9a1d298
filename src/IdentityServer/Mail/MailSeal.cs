using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.DataProtection;

namespace IdentityServer.Mail;

/// <summary>Seals letters for the outbox: a copy of the database opens no link. A seal opens in the row it was made for, and in no other.</summary>
internal sealed class MailSeal(IDataProtectionProvider protection)
{
    private const string Purpose = "IdentityServer.Outbox";

    public string Seal(string mailId, Letter letter) =>
        protection.CreateProtector(Purpose, mailId).Protect(JsonSerializer.Serialize(letter, LetterJson.Default.Letter));

    public bool TryOpen(string mailId, string? seal, [NotNullWhen(true)] out Letter? letter)
    {
        letter = null;
        if (seal is null)
        {
            return false;
        }

        try
        {
            letter = JsonSerializer.Deserialize(protection.CreateProtector(Purpose, mailId).Unprotect(seal), LetterJson.Default.Letter);
            return letter is not null;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }
}
