using IdentityServer.Storage.Users;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Identity.EntityFrameworkCore;

namespace IdentityServer.Storage.Factors;

/// <summary>
/// Identity's store of people, with passkeys read from our table: its verifier asks here. It only reads; what changes a passkey is a deed
/// of <see cref="IPasskeys"/>, with its audit event.
/// </summary>
internal sealed class PasskeyUserStore(ServerDb db, IPasskeys passkeys, IdentityErrorDescriber? describer = null)
    : UserStore<User, Role, ServerDb>(db, describer)
{
    /// <summary>Also asked with a user handle that came from outside.</summary>
    public override async Task<User?> FindByIdAsync(string userId, CancellationToken cancellationToken = default) =>
        Identifiers.IsPossible(userId, Identifiers.IdLength) ? await base.FindByIdAsync(userId, cancellationToken) : null;

    public override async Task<IList<UserPasskeyInfo>> GetPasskeysAsync(User user, CancellationToken cancellationToken) =>
        [.. (await passkeys.ListAsync(user.Id, cancellationToken)).Select(ToInfo)];

    public override async Task<User?> FindByPasskeyIdAsync(byte[] credentialId, CancellationToken cancellationToken) =>
        await passkeys.FindAsync(credentialId, cancellationToken) is { } passkey
            ? await FindByIdAsync(passkey.Subject, cancellationToken)
            : null;

    public override async Task<UserPasskeyInfo?> FindPasskeyAsync(User user, byte[] credentialId, CancellationToken cancellationToken) =>
        await passkeys.FindAsync(credentialId, cancellationToken) is { } passkey && passkey.Subject == user.Id
            ? ToInfo(passkey)
            : null;

    public override Task AddOrUpdatePasskeyAsync(User user, UserPasskeyInfo passkey, CancellationToken cancellationToken) =>
        throw new NotSupportedException($"Passkeys are added by {nameof(IPasskeys)}.");

    public override Task RemovePasskeyAsync(User user, byte[] credentialId, CancellationToken cancellationToken) =>
        throw new NotSupportedException($"Passkeys are removed by {nameof(IPasskeys)}.");

    private static UserPasskeyInfo ToInfo(Passkey passkey) => new(
        passkey.CredentialId,
        passkey.PublicKey,
        passkey.CreatedAt,
        checked((uint)passkey.SignCount),
        [.. passkey.Transports],
        passkey.IsUserVerified,
        passkey.IsBackupEligible,
        passkey.IsBackedUp,
        attestationObject: [],
        clientDataJson: [])
    {
        Name = passkey.Name,
    };
}
