using IdentityServer.Storage.Factors;

namespace IdentityServer.Passkeys;

/// <summary>A ceremony that began.</summary>
/// <param name="Handle">The page posts it back with what the authenticator answered.</param>
/// <param name="Options">What <c>navigator.credentials</c> is given: JSON.</param>
public sealed record BegunCeremony(string Handle, string Options)
{
    public override string ToString() => "[ceremony]";
}

/// <summary>What a page posts to finish a ceremony. Nothing of it is believed before it is checked.</summary>
/// <param name="Handle">Of <see cref="BegunCeremony"/>.</param>
/// <param name="Credential"><c>PublicKeyCredential.toJSON()</c>, as JSON.</param>
/// <param name="BrowserHash">Hash of the browser's own handle.</param>
/// <param name="Http">The request.</param>
public sealed record PostedCredential(string? Handle, string? Credential, string BrowserHash, HttpContext Http)
{
    public override string ToString() => "[credential]";
}

/// <summary>How a proof by passkey ended.</summary>
public abstract record PasskeyProof
{
    private PasskeyProof() { }

    /// <summary>The person has the passkey. Whether they may sign in is another question.</summary>
    /// <param name="Passkey">Which; its <see cref="Passkey.Subject"/> is who.</param>
    /// <param name="IsUserVerified">The authenticator made sure that it is them: then this is two factors.</param>
    public sealed record Given(Passkey Passkey, bool IsUserVerified) : PasskeyProof
    {
        /// <summary>RFC 8176: proof of possession, presence, and with user verification more than one factor.</summary>
        public IReadOnlyList<string> Amr { get; } = IsUserVerified ? ["pop", "user", "mfa"] : ["pop", "user"];

        public string Subject => Passkey.Subject;
    }

    /// <summary>Not proven.</summary>
    /// <param name="Reason">A word of docs/passkeys.md, for the audit log. People are told the same whatever it is.</param>
    public sealed record Refused(string Reason) : PasskeyProof;
}

/// <summary>How a registration ended.</summary>
public abstract record PasskeyRegistration
{
    private PasskeyRegistration() { }

    public sealed record Added(Passkey Passkey) : PasskeyRegistration;

    /// <summary>Nothing was added.</summary>
    /// <param name="Reason">A word of docs/passkeys.md, for the audit log.</param>
    public sealed record Refused(string Reason) : PasskeyRegistration;
}
