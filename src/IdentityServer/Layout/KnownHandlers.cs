using IdentityServer.Errors;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Filters;

namespace IdentityServer.Layout;

/// <summary>
/// A page answers what it has a handler for. Without this Razor Pages would show the page unprepared for every other method and every unknown
/// handler's name (ASVS 4.1.4).
/// </summary>
internal sealed class KnownHandlers : IAsyncPageFilter
{
    public Task OnPageHandlerSelectionAsync(PageHandlerSelectedContext context) => Task.CompletedTask;

    public async Task OnPageHandlerExecutionAsync(PageHandlerExecutingContext context, PageHandlerExecutionDelegate next)
    {
        var handlers = context.ActionDescriptor.HandlerMethods;
        var request = context.HttpContext.Request;
        var method = HttpMethods.IsHead(request.Method) ? HttpMethods.Get : request.Method;
        var isKnown = handlers.Count == 0
            ? HttpMethods.IsGet(method)
            : HttpMethods.Equals(context.HandlerMethod?.HttpMethod ?? "", method);
        if (isKnown || context.HandlerInstance is ErrorModel)
        {
            await next();
            return;
        }

        var methods = handlers.Select(handler => handler.HttpMethod.ToUpperInvariant()).Append(HttpMethods.Get);
        context.HttpContext.Response.Headers.Allow = string.Join(", ", methods.Append(HttpMethods.Head).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
        context.Result = new StatusCodeResult(
            HttpMethods.IsOptions(method) ? StatusCodes.Status204NoContent : StatusCodes.Status405MethodNotAllowed);
    }
}
