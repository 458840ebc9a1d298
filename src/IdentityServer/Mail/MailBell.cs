using IdentityServer.Storage;

namespace IdentityServer.Mail;

/// <summary>Rung by whoever stored a mail on this node, so that it goes at once.</summary>
public sealed class MailBell : Bell;
