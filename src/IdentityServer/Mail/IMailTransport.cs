namespace IdentityServer.Mail;

/// <summary>Carries mails out of this server.</summary>
internal interface IMailTransport
{
    /// <summary>
    /// Hands a letter over: <see langword="null"/> when it was taken, otherwise why not, without any address. May be called again for a mail
    /// that was taken already, when the server died before it could write that down: <see cref="Envelope.MessageId"/> is then the same.
    /// </summary>
    ValueTask<string?> SendAsync(Envelope envelope, CancellationToken ct);
}

/// <summary>A letter, and what is the same at every attempt to send it.</summary>
/// <param name="Id">Of its row.</param>
/// <param name="MessageId">Without angle brackets (RFC 5322 §3.6.4).</param>
/// <param name="At">When it was written.</param>
/// <param name="Letter">What it says.</param>
internal sealed record Envelope(string Id, string MessageId, DateTimeOffset At, Letter Letter);
