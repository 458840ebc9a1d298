using System.Collections.Frozen;
using IdentityServer.Configuration;
using Microsoft.AspNetCore.Identity;

namespace IdentityServer.Passkeys;

/// <summary>
/// Where passkeys of this server work: the RP ID that authenticators bind them to, and the origins whose pages may use them (WebAuthn
/// Level 3 §4, §13.4.9). Both come from settings and never from a request: neither <c>Host</c> nor <c>Origin</c> decides anything.
/// </summary>
public sealed class PasskeyDomain(ServerSettings settings)
{
    /// <summary>What the browser is told to wait for a person; how long the server waits is <see cref="PasskeyCeremonies.Lifetime"/>.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly FrozenSet<string> _origins =
        settings.Passkeys.Origins.Append(settings.Issuer).ToFrozenSet(StringComparer.Ordinal);

    /// <summary>The RP ID; empty where there can be none, because the issuer's host is an address.</summary>
    public string Id { get; } = settings.Passkeys.RelyingPartyId;

    /// <summary>People may use passkeys here.</summary>
    public bool IsOn => Id.Length > 0;

    /// <summary>Why not, for operators.</summary>
    public const string WhyOff = "Its host is an address and no name, so there are no passkeys (docs/passkeys.md).";

    /// <summary>How Identity's verifier is to check.</summary>
    /// <param name="userVerification"><c>required</c>, or <c>preferred</c>.</param>
    public IdentityPasskeyOptions Options(string userVerification) => new()
    {
        ServerDomain = Id,
        UserVerificationRequirement = userVerification,
        ResidentKeyRequirement = "required",
        AttestationConveyancePreference = "none",
        ChallengeSize = 32,
        AuthenticatorTimeout = Patience,
        ValidateOrigin = context => ValueTask.FromResult(
            !context.CrossOrigin && string.IsNullOrEmpty(context.TopOrigin) && context.Origin is { } origin && _origins.Contains(origin)),

        // Left out: IsAllowedAlgorithm. What the verifier can verify is allowed (ES256/384/512, RS256/384/512, PS256/384/512).
    };
}
