using System.Security.Claims;
using System.Text.Encodings.Web;
using System.Text.Json;
using IdentityServer.ResourceServer.Revocations;
using IdentityServer.ResourceServer.Telemetry;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace IdentityServer.ResourceServer.Tokens;

/// <summary>One request, one token, one answer (RFC 6750).</summary>
internal sealed partial class TokenHandler(
    IOptionsMonitor<IdentityServerTokensOptions> options,
    ILoggerFactory loggers,
    UrlEncoder encoder,
    JwtReader jwts,
    ReferenceTokenReader references,
    EndedTokens ended,
    FeedState feed,
    IEnumerable<ITokenBinding> bindings,
    ResourceServerMetrics metrics)
    : AuthenticationHandler<IdentityServerTokensOptions>(options, loggers, encoder)
{
    private const string Bearer = "Bearer";

    private readonly ITokenBinding[] _bindings = [.. bindings];
    private TokenOutcome? _problem;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        // 1 one token, in the header (OAuth 2.1 §5.2)
        var header = Request.Headers.Authorization;
        if (header.Count == 0 || SchemeOf(header.ToString()) is not { } scheme)
        {
            return AuthenticateResult.NoResult();
        }

        var text = header.ToString()[scheme.Length..].Trim();
        var outcome = header.Count > 1 || text.Length == 0 || text.Contains(' ', StringComparison.Ordinal)
            ? new TokenOutcome.Refused("The token is malformed.")
            : await JudgeAsync(scheme, text, Context.RequestAborted);
        if (outcome is TokenOutcome.Good { Token: var token })
        {
            return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(token.Identity.Clone()), Scheme.Name));
        }

        _problem = outcome;
        var reason = ReasonOf(outcome);
        LogRefused(Logger, reason);
        return AuthenticateResult.Fail(reason);
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        await HandleAuthenticateOnceSafeAsync();
        if (_problem is TokenOutcome.Unknown)
        {
            // Not 401: the app would throw away a token that may be good.
            Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            Response.Headers.RetryAfter = "1";
            return;
        }

        Response.StatusCode = StatusCodes.Status401Unauthorized;
        Response.Headers.WWWAuthenticate = _problem is null
            ? Bearer
            : $"{Bearer} error=\"invalid_token\", error_description=\"{ReasonOf(_problem)}\"";
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        Response.StatusCode = StatusCodes.Status403Forbidden;
        Response.Headers.WWWAuthenticate = Context.Items[typeof(ScopeRequirement)] is string scope
            ? $"{Bearer} error=\"insufficient_scope\", scope=\"{scope}\""
            : $"{Bearer} error=\"insufficient_scope\"";
        return Task.CompletedTask;
    }

    private async ValueTask<TokenOutcome> JudgeAsync(string scheme, string text, CancellationToken ct)
    {
        // Asked first: what the feed tells while we look may be missing from what we find.
        var isFresh = feed.IsFresh;

        // 2 was it issued, for us, and is it valid
        var isJwt = text.Contains('.', StringComparison.Ordinal);
        var outcome = isJwt ? await jwts.ReadAsync(text, ct) : await references.ReadAsync(text, ct);
        if (outcome is not TokenOutcome.Good { Token: var token })
        {
            return outcome;
        }

        // 3 has it ended; what is known stays true, also while the feed is silent
        if (ended.Find(token) is { } kind)
        {
            metrics.RevokedPresented(kind);
            return new TokenOutcome.Refused("The token has been revoked.");
        }

        if (isJwt && Options is { FollowRevocations: true, WhenFeedIsSilent: SilentFeed.FailClosed } && !isFresh)
        {
            return new TokenOutcome.Unknown("It is not known what has been revoked.");
        }

        // 4 is it in the right hands
        return await IsInRightHandsAsync(scheme, text, token, ct)
            ? outcome
            : new TokenOutcome.Refused("The token is bound to a key, and the request does not prove it.");
    }

    private async ValueTask<bool> IsInRightHandsAsync(string scheme, string text, AccessToken token, CancellationToken ct)
    {
        if (token.Confirmation is not { } confirmation)
        {
            return scheme == Bearer;
        }

        if (confirmation.ValueKind != JsonValueKind.Object || !confirmation.EnumerateObject().Any())
        {
            return false;
        }

        foreach (var member in confirmation.EnumerateObject())
        {
            if (Array.Find(_bindings, binding => binding.Confirmation == member.Name) is not { } binding
                || !scheme.Equals(binding.AuthorizationScheme, StringComparison.OrdinalIgnoreCase)
                || !await binding.IsConfirmedAsync(Context, text, member.Value, ct))
            {
                return false;
            }
        }

        return true;
    }

    private string? SchemeOf(string header) => _bindings.Select(binding => binding.AuthorizationScheme).Append(Bearer)
        .FirstOrDefault(scheme => header.Length > scheme.Length && header[scheme.Length] == ' ' && header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase));

    private static string ReasonOf(TokenOutcome outcome) => outcome switch
    {
        TokenOutcome.Refused refused => refused.Reason,
        TokenOutcome.Unknown unknown => unknown.Reason,
        _ => "",
    };

    [LoggerMessage(1, LogLevel.Information, "An access token was not accepted: {Reason}")]
    private static partial void LogRefused(ILogger logger, string reason);
}
