using Microsoft.AspNetCore.Mvc;

namespace IdentityServer.Layout;

/// <summary>303: the answer to every form, so that the next page is fetched by GET and never sends the form again (RFC 9110 §15.4.4).</summary>
public sealed class SeeOther(string location) : ActionResult
{
    public string Location { get; } = location;

    public override void ExecuteResult(ActionContext context)
    {
        var response = context.HttpContext.Response;
        response.StatusCode = StatusCodes.Status303SeeOther;
        response.Headers.Location = Location;
    }
}
