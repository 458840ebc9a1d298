using System.Collections.Concurrent;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using IdentityServer.ResourceServer.Revocations;
using IdentityServer.ResourceServer.Server;

namespace IdentityServer.ResourceServer.Tokens;

/// <summary>
/// Asks the server what a reference token means (RFC 7662), and believes the answer for a short while: never past the token's end, and
/// only while the feed tells of what ends meanwhile.
/// </summary>
internal sealed class ReferenceTokenReader(Backchannel server, FeedState feed, IdentityServerTokensOptions options, TimeProvider clock)
    : IDisposable
{
    /// <summary>256 random bits in base64url.</summary>
    private const int HandleLength = 43;
    private const int GenerationSize = 10_000;
    private const int AtOnce = 64;

    private static readonly TimeSpan InactiveCache = TimeSpan.FromSeconds(5);
    private static readonly TokenOutcome Inactive = new TokenOutcome.Refused("The token is unknown, expired or ended.");

    private readonly SemaphoreSlim _asking = new(AtOnce);
    private ConcurrentDictionary<string, Answer> _young = new(StringComparer.Ordinal);
    private ConcurrentDictionary<string, Answer> _old = new(StringComparer.Ordinal);

    public async ValueTask<TokenOutcome> ReadAsync(string text, CancellationToken ct)
    {
        // Not worth a question.
        if (options.ClientId is null || text.Length != HandleLength || text.Any(letter => !char.IsAsciiLetterOrDigit(letter) && letter is not ('-' or '_')))
        {
            return new TokenOutcome.Refused("The token is malformed.");
        }

        var hash = Convert.ToHexString(SHA256.HashData(Encoding.ASCII.GetBytes(text)));
        var now = clock.GetUtcNow();
        if ((!options.FollowRevocations || feed.IsFresh) && (_young.GetValueOrDefault(hash) ?? _old.GetValueOrDefault(hash)) is { } known && now < known.Until)
        {
            return known.Outcome;
        }

        await _asking.WaitAsync(ct);
        try
        {
            using var answer = await server.IntrospectAsync(text, ct);
            var outcome = Read(answer.RootElement);
            var until = outcome is TokenOutcome.Good { Token: var token }
                ? Earlier(now + options.IntrospectionCache, token.ExpiresAt)
                : now + InactiveCache;
            Remember(hash, new Answer(outcome, until));
            return outcome;
        }
        catch (ServerUnavailableException)
        {
            return new TokenOutcome.Unknown("The issuer cannot be asked about the token.");
        }
        finally
        {
            _asking.Release();
        }
    }

    public void Dispose() => _asking.Dispose();

    private static DateTimeOffset Earlier(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;

    private TokenOutcome Read(JsonElement answer)
    {
        if (answer.ValueKind != JsonValueKind.Object
            || !answer.TryGetProperty("active", out var active) || active.ValueKind != JsonValueKind.True
            || Text(answer, "iss") != options.Issuer
            || !answer.TryGetProperty("aud", out var audience) || !Values(audience).Contains(options.Audience, StringComparer.Ordinal)
            || Text(answer, "jti") is not { } id
            || Text(answer, "sub") is not { } subject
            || Text(answer, "client_id") is not { } client
            || Number(answer, "exp") is not { } seconds
            || DateTimeOffset.FromUnixTimeSeconds(seconds) is var expiresAt && clock.GetUtcNow() >= expiresAt)
        {
            return Inactive;
        }

        var claims = answer.EnumerateObject()
            .Where(member => member.Name != "active")
            .SelectMany(member => Values(member.Value), (member, value) => new Claim(member.Name, value, ClaimValueTypes.String, options.Issuer));
        return new TokenOutcome.Good(new AccessToken
        {
            Id = id,
            Subject = subject,
            ClientId = client,
            ExpiresAt = expiresAt,
            GrantId = Text(answer, "gid"),
            SessionId = Text(answer, "sid"),
            Epoch = Number(answer, "epoch") ?? 0,
            Confirmation = answer.TryGetProperty("cnf", out var bound) ? bound.Clone() : null,
            Identity = new ClaimsIdentity(claims, IdentityServerTokens.Scheme, "sub", "role"),
        });
    }

    private static IEnumerable<string> Values(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => value.EnumerateArray().SelectMany(Values),
        JsonValueKind.String => [value.GetString()!],
        JsonValueKind.Null => [],
        _ => [value.GetRawText()],
    };

    private static string? Text(JsonElement answer, string name) =>
        answer.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static long? Number(JsonElement answer, string name) =>
        answer.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : null;

    // Two generations: memory stays bounded without bookkeeping per use.
    private void Remember(string hash, Answer answer)
    {
        _young[hash] = answer;
        if (_young.Count >= GenerationSize)
        {
            _old = Interlocked.Exchange(ref _young, new ConcurrentDictionary<string, Answer>(StringComparer.Ordinal));
        }
    }

    private sealed record Answer(TokenOutcome Outcome, DateTimeOffset Until);
}
