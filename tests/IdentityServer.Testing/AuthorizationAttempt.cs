using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace IdentityServer.Testing;

/// <summary>
/// An authorization request about to be made, with what its relying party must remember. Parameters keep their order.
/// </summary>
public sealed class AuthorizationAttempt
{
    private readonly List<KeyValuePair<string, string>> _parameters = [];

    private AuthorizationAttempt(string verifier) => Verifier = verifier;

    /// <summary>The PKCE verifier (RFC 7636).</summary>
    public string Verifier { get; }

    public IReadOnlyList<KeyValuePair<string, string>> Parameters => _parameters;

    /// <summary>Reads a parameter, sets it in its place, or removes it when set to <see langword="null"/>.</summary>
    public string? this[string name]
    {
        get => _parameters.Find(parameter => parameter.Key == name).Value;
        set
        {
            var at = _parameters.FindIndex(parameter => parameter.Key == name);
            if (at >= 0)
            {
                _parameters.RemoveAt(at);
            }

            if (value is not null)
            {
                _parameters.Insert(at >= 0 ? at : _parameters.Count, new(name, value));
            }
        }
    }

    /// <summary>A request with everything a careful relying party sends: state, nonce and PKCE.</summary>
    public static AuthorizationAttempt Create(string clientId, string redirectUri, string scope)
    {
        var attempt = new AuthorizationAttempt(Random());
        attempt._parameters.AddRange(
        [
            new("response_type", "code"),
            new("client_id", clientId),
            new("redirect_uri", redirectUri),
            new("scope", scope),
            new("state", Random()),
            new("nonce", Random()),
            new("code_challenge", ChallengeOf(attempt.Verifier)),
            new("code_challenge_method", "S256"),
        ]);
        return attempt;
    }

    public static string ChallengeOf(string verifier) =>
        Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)));

    public AuthorizationAttempt With(string name, string? value)
    {
        this[name] = value;
        return this;
    }

    public AuthorizationAttempt Reversed()
    {
        _parameters.Reverse();
        return this;
    }

    /// <summary>Adds a parameter even if it is there already.</summary>
    public AuthorizationAttempt Plus(string name, string value)
    {
        _parameters.Add(new(name, value));
        return this;
    }

    public Uri At(Uri endpoint)
    {
        var query = string.Join('&', _parameters.Select(parameter =>
            $"{Uri.EscapeDataString(parameter.Key)}={Uri.EscapeDataString(parameter.Value)}"));
        return new UriBuilder(endpoint) { Query = query }.Uri;
    }

    private static string Random() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
}

/// <summary>What came back to the relying party through the browser.</summary>
/// <param name="Parameters">The response's parameters.</param>
/// <param name="Mode">How they came: <c>query</c>, <c>fragment</c> or <c>form_post</c>.</param>
/// <param name="Target">The address they came to, without them.</param>
public sealed record AuthorizationAnswer(IReadOnlyDictionary<string, string> Parameters, string Mode, string Target)
{
    public string? Code => Parameters.GetValueOrDefault("code");

    public string? Error => Parameters.GetValueOrDefault("error");
}

/// <summary>How an authorization request went on its way through the pages.</summary>
/// <param name="Attempt">The request.</param>
/// <param name="Answer">The response, or <see langword="null"/> when the browser stayed with the server.</param>
/// <param name="Last">The page it ended on.</param>
/// <param name="SignIns">How often the person was asked to sign in.</param>
/// <param name="Consents">How often the person was asked for consent.</param>
/// <param name="SignInPage">The sign-in page as first shown.</param>
public sealed record AuthorizationWalk(
    AuthorizationAttempt Attempt,
    AuthorizationAnswer? Answer,
    Page Last,
    int SignIns,
    int Consents,
    Page? SignInPage)
{
    /// <summary>The response; fails when there is none.</summary>
    public AuthorizationAnswer Answered =>
        Answer ?? throw new CheckFailedException($"The browser stayed with the server: {Last}");

    /// <summary>The code of the response; fails when there is none.</summary>
    public string Code =>
        Answered.Code ?? throw new CheckFailedException($"No code but {Answered.Error}.");
}
