using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Authentication;

namespace WebApp.SignIn;

/// <summary>What an API asks for that wants a stronger or fresher sign-in (RFC 9470 §3), on its way into an authorization request.</summary>
public static partial class StepUp
{
    private const string Prefix = "step-up.";

    private static readonly string[] Names = ["acr_values", "max_age"];

    /// <summary>The sign-in to send the person to; <see langword="null"/> when the API's answer asks for none.</summary>
    /// <param name="answer">What the API answered.</param>
    /// <param name="returnTo">The page of this app to come back to.</param>
    public static AuthenticationProperties? Of(HttpResponseMessage answer, string returnTo)
    {
        var challenge = answer.Headers.WwwAuthenticate.FirstOrDefault(header => header.Scheme == "Bearer")?.Parameter ?? "";
        var asked = Parameter().Matches(challenge).ToDictionary(match => match.Groups["name"].Value, match => match.Groups["value"].Value, StringComparer.Ordinal);
        if (asked.GetValueOrDefault("error") != "insufficient_user_authentication")
        {
            return null;
        }

        var properties = new AuthenticationProperties { RedirectUri = returnTo };
        foreach (var name in Names.Where(asked.ContainsKey))
        {
            properties.Items[Prefix + name] = asked[name];
        }

        return properties;
    }

    /// <summary>The parameters that go into the request.</summary>
    public static IDictionary<string, string?> ParametersOf(AuthenticationProperties properties) => Names
        .Where(name => properties.Items.ContainsKey(Prefix + name))
        .ToDictionary(name => name, name => properties.Items[Prefix + name], StringComparer.Ordinal);

    [GeneratedRegex("(?<name>[a-z_]+)=\"(?<value>[^\"]*)\"", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Parameter();
}
