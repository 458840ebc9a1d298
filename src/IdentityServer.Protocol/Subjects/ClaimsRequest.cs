using System.Collections.Frozen;
using System.Text.Json;

namespace IdentityServer.Protocol.Subjects;

/// <summary>The <c>claims</c> parameter, parsed (OpenID Connect Core §5.5).</summary>
public sealed record ClaimsRequest
{
    public static ClaimsRequest None { get; } = new();

    public FrozenDictionary<string, RequestedClaim> UserInfo { get; init; } = FrozenDictionary<string, RequestedClaim>.Empty;

    public FrozenDictionary<string, RequestedClaim> IdToken { get; init; } = FrozenDictionary<string, RequestedClaim>.Empty;

    /// <summary>Unknown members are ignored, as §5.5 asks; text that is not such an object is an error.</summary>
    public static Result<ClaimsRequest> Parse(string? json)
    {
        if (json is null)
        {
            return None;
        }

        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 8 });
            return document.RootElement.ValueKind == JsonValueKind.Object
                && TryRead(document.RootElement, "userinfo", out var userInfo)
                && TryRead(document.RootElement, "id_token", out var idToken)
                    ? new ClaimsRequest { UserInfo = userInfo, IdToken = idToken }
                    : Malformed;
        }
        catch (JsonException)
        {
            return Malformed;
        }
    }

    private static ProtocolError Malformed { get; } =
        ProtocolError.InvalidRequest("The parameter claims is not a claims request.", "claims");

    private static bool TryRead(JsonElement root, string member, out FrozenDictionary<string, RequestedClaim> claims)
    {
        claims = FrozenDictionary<string, RequestedClaim>.Empty;
        if (!root.TryGetProperty(member, out var section) || section.ValueKind == JsonValueKind.Null)
        {
            return true;
        }

        if (section.ValueKind != JsonValueKind.Object)
        {
            return false;
        }

        var read = new Dictionary<string, RequestedClaim>(StringComparer.Ordinal);
        foreach (var claim in section.EnumerateObject())
        {
            if (claim.Value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Object))
            {
                return false;
            }

            read[claim.Name] = RequestedClaim.Of(claim.Value);
        }

        claims = read.ToFrozenDictionary(StringComparer.Ordinal);
        return true;
    }
}

/// <summary>How one claim was asked for (OpenID Connect Core §5.5.1).</summary>
/// <param name="IsEssential">The app says it cannot do without.</param>
/// <param name="Values">Acceptable values, from <c>value</c> or <c>values</c>; empty: any. Only text values count here.</param>
public sealed record RequestedClaim(bool IsEssential, IReadOnlyList<string> Values)
{
    internal static RequestedClaim Of(JsonElement claim)
    {
        if (claim.ValueKind != JsonValueKind.Object)
        {
            return new(false, []);
        }

        var essential = claim.TryGetProperty("essential", out var flag) && flag.ValueKind == JsonValueKind.True;
        var values = new List<string>();
        if (claim.TryGetProperty("value", out var value) && value.ValueKind == JsonValueKind.String)
        {
            values.Add(value.GetString()!);
        }

        if (claim.TryGetProperty("values", out var several) && several.ValueKind == JsonValueKind.Array)
        {
            values.AddRange(several.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String).Select(item => item.GetString()!));
        }

        return new(essential, values);
    }
}
