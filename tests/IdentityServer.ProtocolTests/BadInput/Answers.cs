using System.Text.Json.Nodes;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.BadInput;

/// <summary>What must hold of every answer, whatever was sent.</summary>
public sealed class Answers(IReadOnlyCollection<string> registeredAddresses, IReadOnlyCollection<string> secrets)
{
    // Kestrel refuses these before the server sees them: there is no body to judge.
    private static readonly int[] _beforeUs = [411, 414, 431];

    public void Judge(Sent sent, Page answer)
    {
        var status = (int)answer.Status;
        Check.That(status < 500, $"{status} to {sent}");
        var isHostedPage = !sent.Endpoint.Path.StartsWith("/connect/", StringComparison.Ordinal);
        if (!isHostedPage || !HasCode(sent))
        {
            foreach (var secret in secrets)
            {
                Check.That(!answer.Text.Contains(secret, StringComparison.Ordinal), $"A secret comes back from {sent}");
            }
        }

        if (answer.Location is { } location)
        {
            JudgeRedirect(sent, answer, location);
        }

        if (status < 400 || _beforeUs.Contains(status))
        {
            return;
        }

        if (status == 405)
        {
            Check.That(answer.Header("Allow") is { Length: > 0 }, $"405 without Allow to {sent}");
        }

        if (sent.Method == "HEAD" || (status == 400 && answer.Body.Length == 0 && answer.Header("X-Request-Id") is null))
        {
            return;
        }

        var cache = answer.Header("Cache-Control");
        Check.That(cache?.Contains("no-store", StringComparison.Ordinal) == true, $"{status} with Cache-Control {cache} to {sent}");
        switch (sent.Endpoint.Audience)
        {
            case Audience.Person:
                Check.That(answer.IsHtml, $"{answer.MediaType} to {sent}");
                break;
            case Audience.Bearer when status == 401 && answer.Body.Length == 0:
                JudgeChallenge(sent, answer, "Bearer");
                break;
            default:
                JudgeError(sent, answer, status);
                break;
        }
    }

    // A hosted page's links to its other languages keep the code of a set-up link, which its address shows already.
    private static bool HasCode(Sent sent) =>
        sent.Encoded.Split('&').Any(part => part.StartsWith("code=", StringComparison.Ordinal));

    private void JudgeRedirect(Sent sent, Page answer, Uri location)
    {
        Check.That(answer.Status == System.Net.HttpStatusCode.SeeOther, $"{(int)answer.Status} to {sent}");
        var text = location.OriginalString;
        var isOurs = location.GetLeftPart(UriPartial.Authority) == answer.Address.GetLeftPart(UriPartial.Authority);
        var isRegistered = registeredAddresses.Any(address =>
            text == address
            || text.StartsWith($"{address}?", StringComparison.Ordinal)
            || text.StartsWith($"{address}#", StringComparison.Ordinal));
        Check.That(isOurs || isRegistered, $"Redirected to {text} by {sent}");
    }

    private static void JudgeError(Sent sent, Page answer, int status)
    {
        int[] expected = sent.Endpoint.Audience == Audience.Bearer ? [400, 401, 403, 405, 413, 415] : [400, 401, 405, 413, 415];
        Check.That(expected.Contains(status), $"{status} to {sent}");
        Check.That(answer.MediaType == "application/json", $"{status} {answer.MediaType} to {sent}");
        var json = answer.Json;
        Check.That(json?["error"] is JsonValue error && ((string)error!).Length > 0, $"No error in {answer.Text} to {sent}");
        Check.Description((string?)json!["error_description"]);
        Check.That(json["error_description"] is not null, $"No error_description to {sent}");
        if (status == 401)
        {
            JudgeChallenge(sent, answer, sent.Endpoint.Audience == Audience.Bearer ? "Bearer" : "Basic");
        }
    }

    private static void JudgeChallenge(Sent sent, Page answer, string scheme) => Check.That(
        answer.Header("WWW-Authenticate")?.StartsWith(scheme, StringComparison.Ordinal) == true,
        $"401 without a {scheme} challenge to {sent}");
}
