using Microsoft.AspNetCore.Mvc.Filters;

namespace IdentityServer.Layout;

/// <summary>No page of a person may be kept: not by the browser for whoever comes next, nor by anything in between.</summary>
internal sealed class NoStore : IAlwaysRunResultFilter
{
    public void OnResultExecuting(ResultExecutingContext context) =>
        context.HttpContext.Response.Headers.CacheControl = "no-store";

    public void OnResultExecuted(ResultExecutedContext context)
    {
        // Headers are set before the answer begins.
    }
}
