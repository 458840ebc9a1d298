using System.Text.Json.Nodes;
using IdentityServer.Protocol.Subjects;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Users;

internal sealed class SubjectStore(IDbContextFactory<ServerDb> databases) : ISubjects
{
    public async ValueTask<SubjectClaims?> FindAsync(string subject, CancellationToken ct)
    {
        if (!Identifiers.IsPossible(subject, Identifiers.IdLength))
        {
            return null;
        }

        await using var db = await databases.CreateDbContextAsync(ct);
        var user = await db.Users.AsNoTracking()
            .FirstOrDefaultAsync(user => user.Id == subject && user.DisabledAt == null, ct);
        return user is null ? null : new SubjectClaims(user.Id, ClaimsOf(user));
    }

    // What has a column of its own wins over the JSON.
    private static Dictionary<string, JsonNode> ClaimsOf(User user)
    {
        var claims = new Dictionary<string, JsonNode>(StringComparer.Ordinal);
        if (user.MoreClaims is { } json && JsonNode.Parse(json) is JsonObject more)
        {
            foreach (var (name, value) in more.ToArray())
            {
                if (value is not null && name != "sub")
                {
                    more.Remove(name);
                    claims[name] = value;
                }
            }
        }

        Set("name", user.Name);
        Set("given_name", user.GivenName);
        Set("family_name", user.FamilyName);
        Set("preferred_username", user.UserName);
        Set("locale", user.Locale);
        if (user.UpdatedAt > DateTimeOffset.UnixEpoch)
        {
            claims["updated_at"] = JsonValue.Create(user.UpdatedAt.ToUnixTimeSeconds());
        }

        if (Set("email", user.Email))
        {
            claims["email_verified"] = JsonValue.Create(user.EmailConfirmed);
        }

        if (Set("phone_number", user.PhoneNumber))
        {
            claims["phone_number_verified"] = JsonValue.Create(user.PhoneNumberConfirmed);
        }

        return claims;

        bool Set(string name, string? value)
        {
            if (string.IsNullOrEmpty(value))
            {
                return false;
            }

            claims[name] = JsonValue.Create(value);
            return true;
        }
    }
}
