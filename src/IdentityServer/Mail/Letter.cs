using System.Text.Json.Serialization;

namespace IdentityServer.Mail;

/// <summary>A mail in words: what the outbox keeps sealed.</summary>
/// <param name="To">The address.</param>
/// <param name="Subject">The subject line.</param>
/// <param name="Text">The plain text.</param>
/// <param name="Html">The same with markup.</param>
internal sealed record Letter(string To, string Subject, string Text, string Html)
{
    /// <summary>Deliberately short: it may hold a link that is a secret.</summary>
    public override string ToString() => "[letter]";
}

[JsonSerializable(typeof(Letter))]
internal sealed partial class LetterJson : JsonSerializerContext;
