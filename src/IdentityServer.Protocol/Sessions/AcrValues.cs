namespace IdentityServer.Protocol.Sessions;

/// <summary>
/// The <c>acr</c> values this server knows, weakest first. Each later one also satisfies those before it (docs/sign-in.md). <c>phrh</c>
/// is not among them: it claims a hardware key, and only a verified attestation could show one.
/// </summary>
public static class AcrValues
{
    /// <summary>A password alone.</summary>
    public const string Password = "urn:identityserver:pwd";

    /// <summary>Two factors.</summary>
    public const string Mfa = "urn:identityserver:mfa";

    /// <summary>Phishing-resistant: a passkey (OpenID Connect Extended Authentication Profile ACR Values 1.0).</summary>
    public const string PhishingResistant = "phr";

    /// <summary>All of them, weakest first.</summary>
    public static IReadOnlyList<string> Supported { get; } = [Password, Mfa, PhishingResistant];

    /// <summary>True when a sign-in of class <paramref name="actual"/> is as good as <paramref name="wanted"/> asks for.</summary>
    public static bool Satisfies(string actual, string wanted) =>
        Rank(wanted) is var needed and >= 0 && Rank(actual) >= needed;

    /// <summary>What these methods amount to.</summary>
    /// <param name="amr">RFC 8176 values, as <see cref="Amr.Join"/> makes them.</param>
    public static string Of(IReadOnlyList<string> amr) =>
        !amr.Contains(Amr.MultipleFactors, StringComparer.Ordinal) ? Password
        : amr.Contains(Amr.Key, StringComparer.Ordinal) ? PhishingResistant
        : Mfa;

    private static int Rank(string acr)
    {
        for (var i = 0; i < Supported.Count; i++)
        {
            if (Supported[i] == acr)
            {
                return i;
            }
        }

        return -1;
    }
}

/// <summary>The <c>amr</c> values this server uses (RFC 8176, and <c>pop</c> of the ACR values named in <see cref="AcrValues"/>).</summary>
public static class Amr
{
    public const string Password = "pwd";

    /// <summary>A code that works once: of an authenticator app, or a recovery code.</summary>
    public const string OneTimeCode = "otp";

    /// <summary>A passkey: proof of possession of a key, in hardware or not.</summary>
    public const string Key = "pop";

    /// <summary>Somebody touched the authenticator.</summary>
    public const string UserPresence = "user";

    public const string MultipleFactors = "mfa";

    /// <summary>Both lists without repetition; <c>mfa</c> once two different factors are among them.</summary>
    public static IReadOnlyList<string> Join(IReadOnlyList<string> before, IReadOnlyList<string> now)
    {
        var methods = before.Concat(now).Where(method => method != MultipleFactors).Distinct(StringComparer.Ordinal).ToList();
        var factors = methods.Count(method => method is Password or OneTimeCode or Key);
        if (factors > 1 || before.Contains(MultipleFactors, StringComparer.Ordinal) || now.Contains(MultipleFactors, StringComparer.Ordinal))
        {
            methods.Add(MultipleFactors);
        }

        return methods;
    }
}
