using System.Buffers.Text;
using System.Text.Json;

namespace IdentityServer.Passkeys;

/// <summary>The two things we need to know of an assertion that Identity's verifier keeps to itself.</summary>
internal static class CredentialReader
{
    private const int FlagsAt = 32;
    private const byte UserVerified = 0x04;

    /// <summary>The credential id that was posted, if there is one: for the audit log to name whose it is.</summary>
    public static byte[]? IdOf(string json) => BytesAt(json, "id");

    /// <summary>The UV flag of the authenticator data (WebAuthn Level 3 §6.1), of an assertion whose signature is right.</summary>
    public static bool IsUserVerified(string json) =>
        BytesAt(json, "response", "authenticatorData") is { Length: > FlagsAt } data && (data[FlagsAt] & UserVerified) != 0;

    private static byte[]? BytesAt(string json, params ReadOnlySpan<string> path)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var element = document.RootElement;
            foreach (var name in path)
            {
                if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(name, out element))
                {
                    return null;
                }
            }

            return element.ValueKind == JsonValueKind.String ? Base64Url.DecodeFromChars(element.GetString()) : null;
        }
        catch (Exception error) when (error is JsonException or FormatException or InvalidOperationException)
        {
            return null;
        }
    }
}
