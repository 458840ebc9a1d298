namespace IdentityServer.ProtocolTests.BadInput;

/// <summary>Who is told of an error.</summary>
public enum Audience
{
    /// <summary>A program: JSON as RFC 6749 §5.2 has it.</summary>
    Program,

    /// <summary>A person: our error page, or a redirect to a registered address.</summary>
    Person,

    /// <summary>Whoever shows a bearer token: RFC 6750 §3.</summary>
    Bearer,
}

/// <summary>An endpoint with a request that is right, from which wrong ones are made.</summary>
/// <param name="Path">Below the issuer.</param>
/// <param name="Method">The method of the right request.</param>
/// <param name="Audience">Who is told of an error.</param>
/// <param name="Parameters">The parameters of the right request, all there are.</param>
/// <param name="Authenticates">The right request carries client authentication in its header.</param>
public sealed record Endpoint(
    string Path,
    string Method,
    Audience Audience,
    IReadOnlyList<KeyValuePair<string, string>> Parameters,
    bool Authenticates = false)
{
    public override string ToString() => $"{Method} {Path} {Parameters.FirstOrDefault(p => p.Key == "grant_type").Value}";
}
