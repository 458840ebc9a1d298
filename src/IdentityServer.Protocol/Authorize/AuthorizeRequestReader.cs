using System.Globalization;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Issuance;
using IdentityServer.Protocol.Scopes;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Protocol.Subjects;

namespace IdentityServer.Protocol.Authorize;

/// <summary>
/// Reads an authorization request in two parts. First who asks and where the answer may go: until both are trusted, an error
/// stays on our page. Then everything else: from there on an error goes to the client.
/// </summary>
public sealed class AuthorizeRequestReader(ClientDirectory clients, ScopeCatalog scopes, IdTokenHintReader hints)
{
    private static readonly string[] Prompts = ["none", "login", "consent", "select_account"];

    /// <summary>Who asks and where the answer may go (RFC 6749 §4.1.2.1, first paragraph).</summary>
    public async ValueTask<Result<TrustedAddress>> ReadAddressAsync(Parameters parameters, CancellationToken ct)
    {
        if (parameters["client_id"] is not { } clientId)
        {
            return ProtocolError.Missing("client_id");
        }

        if (await clients.FindAsync(clientId, ct) is not { } client)
        {
            return ProtocolError.InvalidRequest("No client is registered under this client_id.", "client_id");
        }

        if (parameters["redirect_uri"] is not { } redirectUri)
        {
            return ProtocolError.Missing("redirect_uri");
        }

        if (!RedirectUris.IsRegistered(client, redirectUri))
        {
            return ProtocolError.InvalidRequest(
                "The redirect_uri is not registered for this client. It must match character by character.", "redirect_uri");
        }

        // An unknown mode is reported below, in the mode every client understands.
        var mode = ReadMode(parameters["response_mode"]) ?? ResponseMode.Query;
        return new TrustedAddress(client, new ReturnAddress(redirectUri, mode, parameters["state"]));
    }

    /// <summary>The rest, once the address is trusted.</summary>
    public async ValueTask<Result<AuthorizeRequest>> ReadAsync(TrustedAddress trusted, Parameters parameters, DateTimeOffset startedAt)
    {
        var client = trusted.Client;
        if (Unsupported(parameters) is { } unsupported)
        {
            return unsupported;
        }

        // 1 response_type, response_mode
        if (parameters["response_type"] is not { } responseType)
        {
            return ProtocolError.Missing("response_type");
        }

        if (responseType != "code")
        {
            return new ProtocolError("unsupported_response_type", "Only the response type code is supported.") { Parameter = "response_type" };
        }

        if (!client.MayUse(GrantTypes.AuthorizationCode))
        {
            return ProtocolError.UnauthorizedClient("The client may not use the authorization code grant.");
        }

        if (ReadMode(parameters["response_mode"]) is null)
        {
            return ProtocolError.InvalidRequest("The response_mode is not supported.", "response_mode");
        }

        // 2 PKCE, for every client (RFC 9700 §2.1.1)
        if (parameters["code_challenge"] is not { } challenge)
        {
            return ProtocolError.InvalidRequest("PKCE is required: the parameter code_challenge is missing.", "code_challenge");
        }

        if (parameters["code_challenge_method"] != "S256")
        {
            return ProtocolError.InvalidRequest("The code_challenge_method must be S256.", "code_challenge_method");
        }

        if (challenge.Length != 43 || !challenge.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_'))
        {
            return ProtocolError.InvalidRequest("The code_challenge is not a base64url SHA-256 hash.", "code_challenge");
        }

        // 3 scope
        if (parameters["scope"] is not { } scope)
        {
            return ProtocolError.InvalidScope("The parameter scope is missing.");
        }

        if (!scopes.Choose(client.Scopes, scope, []).TryGet(out var chosen, out var error))
        {
            return error;
        }

        if (chosen.Count == 0)
        {
            return ProtocolError.InvalidScope("The parameter scope is empty.");
        }

        // 4 prompt, max_age
        var prompts = parameters["prompt"]?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        if (prompts.Except(Prompts, StringComparer.Ordinal).Any())
        {
            return ProtocolError.InvalidRequest("The prompt is not supported.", "prompt");
        }

        var isSilent = prompts.Contains("none", StringComparer.Ordinal);
        if (isSilent && prompts.Length > 1)
        {
            return ProtocolError.InvalidRequest("The prompt none cannot be combined with another.", "prompt");
        }

        TimeSpan? maxAge = null;
        if (parameters["max_age"] is { } age)
        {
            if (!int.TryParse(age, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            {
                return ProtocolError.InvalidRequest("The max_age is not a number of seconds.", "max_age");
            }

            maxAge = TimeSpan.FromSeconds(seconds);
        }

        // 5 claims, acr, and whom the app expects
        if (!ClaimsRequest.Parse(parameters["claims"]).TryGet(out var claims, out error))
        {
            return error;
        }

        var required = Requirement(client, parameters["acr_values"], claims);
        if (required is { IsEssential: true, Acceptable: [] })
        {
            return new ProtocolError("unmet_authentication_requirements", "None of the essential acr values can be met.") { Parameter = "claims" };
        }

        var expected = claims.IdToken.TryGetValue("sub", out var sub) && sub.Values is [var only] ? only : null;
        if (parameters["id_token_hint"] is { } hintText)
        {
            if (await hints.ReadAsync(hintText) is not { } hint || hint.ClientId != client.Id)
            {
                return ProtocolError.InvalidRequest("The id_token_hint is not an ID token of this client.", "id_token_hint");
            }

            if (expected is not null && expected != hint.Subject)
            {
                return ProtocolError.InvalidRequest("The id_token_hint and the claims name different people.", "id_token_hint");
            }

            expected = hint.Subject;
        }

        return new AuthorizeRequest
        {
            Client = client,
            ReturnTo = trusted.ReturnTo,
            Scopes = WithoutUselessOffline(client, chosen),
            CodeChallenge = challenge,
            Nonce = parameters["nonce"],
            StartedAt = startedAt,
            IsSilent = isSilent,
            ForcesSignIn = prompts.Contains("login", StringComparer.Ordinal) || maxAge == TimeSpan.Zero,
            ForcesConsent = prompts.Contains("consent", StringComparer.Ordinal),
            ForcesChoice = prompts.Contains("select_account", StringComparer.Ordinal),
            MaxAge = maxAge ?? client.DefaultMaxAge,
            RequiredAcr = required,
            ExpectedSubject = expected,
            Claims = claims,
            ClaimsText = parameters["claims"],
            UiLocales = parameters["ui_locales"],
        };
    }

    /// <summary>How strongly a paused request wants the person signed in, for our pages.</summary>
    public static AcrRequirement RequirementOf(Client client, IReadOnlyDictionary<string, string> parameters) => Requirement(
        client,
        parameters.GetValueOrDefault("acr_values"),
        ClaimsRequest.Parse(parameters.GetValueOrDefault("claims")).TryGet(out var claims, out _) ? claims : ClaimsRequest.None);

    // A voluntary acr we do not know is ignored; an essential one is refused above (OpenID Connect Core §5.5.1.1).
    private static AcrRequirement Requirement(Client client, string? acrValues, ClaimsRequest claims)
    {
        var acr = claims.IdToken.GetValueOrDefault("acr");
        var isEssential = acr is { IsEssential: true, Values.Count: > 0 };
        var wanted = isEssential ? acr!.Values
            : acrValues?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? acr?.Values ?? [];
        return new AcrRequirement(
            [.. wanted.Where(value => AcrValues.Supported.Contains(value, StringComparer.Ordinal)).Distinct(StringComparer.Ordinal)],
            client.MinimumAcr,
            isEssential);
    }

    // Refusing is required: ignoring a request object would ignore what it says (OpenID Connect Core §6).
    private static ProtocolError? Unsupported(Parameters parameters) =>
        parameters["request"] is not null ? new("request_not_supported", "Request objects are not supported.") { Parameter = "request" }
        : parameters["request_uri"] is not null ? new("request_uri_not_supported", "The parameter request_uri is not supported.") { Parameter = "request_uri" }
        : parameters["registration"] is not null ? new("registration_not_supported", "The parameter registration is not supported.") { Parameter = "registration" }
        : null;

    private static ResponseMode? ReadMode(string? mode) => mode switch
    {
        null or "query" => ResponseMode.Query,
        "fragment" => ResponseMode.Fragment,
        "form_post" => ResponseMode.FormPost,
        _ => null,
    };

    // Offline access means a refresh token; a client that may not have one is not asked to consent to it.
    private static IReadOnlyList<string> WithoutUselessOffline(Client client, IReadOnlyList<string> scopes) =>
        client.MayUse(GrantTypes.RefreshToken)
            ? scopes
            : scopes.Where(scope => scope != StandardScopes.OfflineAccess).ToArray();
}

/// <summary>A client, and an address of its own to answer to: holding one means an error may be redirected.</summary>
public sealed record TrustedAddress(Client Client, ReturnAddress ReturnTo);
