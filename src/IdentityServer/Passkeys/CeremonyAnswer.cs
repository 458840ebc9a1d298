using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Mvc;

namespace IdentityServer.Passkeys;

/// <summary>Tells a page's script of the ceremony that began: <c>{"ceremony": …, "options": …}</c>; or why none did.</summary>
public sealed class CeremonyAnswer : ActionResult
{
    private readonly BegunCeremony? _begun;
    private readonly int _status;

    private CeremonyAnswer(BegunCeremony? begun, int status) => (_begun, _status) = (begun, status);

    /// <summary>Too many at this moment.</summary>
    public static CeremonyAnswer Busy { get; } = new(null, StatusCodes.Status429TooManyRequests);

    /// <summary>There is nothing to begin: no passkeys here, no passkey of this person, or nobody.</summary>
    public static CeremonyAnswer None { get; } = new(null, StatusCodes.Status404NotFound);

    public static CeremonyAnswer Of(BegunCeremony? begun) => begun is null ? None : new(begun, StatusCodes.Status200OK);

    public override async Task ExecuteResultAsync(ActionContext context)
    {
        var response = context.HttpContext.Response;
        response.StatusCode = _status;
        if (_status == StatusCodes.Status429TooManyRequests)
        {
            response.Headers.RetryAfter = PasskeyTraffic.WaitSeconds.ToString(CultureInfo.InvariantCulture);
        }

        // A body also when there is nothing to say: otherwise a page about the status would be put in its place.
        var answer = new JsonObject();
        if (_begun is not null)
        {
            answer["ceremony"] = _begun.Handle;
            answer["options"] = JsonNode.Parse(_begun.Options);
        }

        response.ContentType = "application/json";
        await response.WriteAsync(answer.ToJsonString(), context.HttpContext.RequestAborted);
    }
}
