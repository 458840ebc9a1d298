using IdentityServer.Layout;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Clients;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdentityServer.Errors;

/// <summary>What kind of trouble it is; each has its own words in the resource files.</summary>
public enum ErrorKind
{
    /// <summary>The app is not registered here.</summary>
    UnknownApp,

    /// <summary>The app wants us to send the person somewhere that it has not registered.</summary>
    UnknownAddress,

    /// <summary>Any other mistake in an app's request.</summary>
    AppMistake,

    /// <summary>The person took longer than a paused request waits.</summary>
    Expired,

    /// <summary>The set-up link does not work.</summary>
    SetupClosed,

    /// <summary>The person has no role for the page.</summary>
    NotAnOperator,

    /// <summary>The mailed link does not work any more.</summary>
    LinkClosed,

    /// <summary>The mailed link works in another browser.</summary>
    OtherBrowser,

    /// <summary>A form came without the token that shows it is ours.</summary>
    Form,

    NotFound,

    TooMany,

    /// <summary>The server cannot answer at the moment.</summary>
    Unavailable,

    /// <summary>Our mistake.</summary>
    Server,
}

/// <summary>
/// Says what happened and what to do, with an id to quote that stands in the log too. Repeats nothing that was sent.
/// Reached by re-execution, with the status code that was set.
/// </summary>
[IgnoreAntiforgeryToken] // it is also the answer to a form whose token was missing, and changes nothing
public sealed class ErrorModel(Brand brand, ClientDirectory clients, TimeProvider clock) : PageModel
{
    public const string Path = "/error";

    // Longer than any registered id; a longer one is not worth showing.
    private const int LongestClientId = 200;

    public ErrorKind Kind { get; private set; }

    /// <summary>The protocol error, when it is one.</summary>
    public ProtocolError? Protocol { get; private set; }

    public string? ClientId { get; private set; }

    public Client? App { get; private set; }

    public string? AppAddress => Kind != ErrorKind.UnknownApp && Brand.IsLink(App?.ClientUri) ? App!.ClientUri : null;

    public string? HelpUrl => brand.HelpUrl;

    public DateTimeOffset At { get; private set; }

    /// <summary>The same as in the log and in the header <c>X-Request-Id</c>.</summary>
    public string RequestId => HttpContext.TraceIdentifier;

    /// <summary>The same address without its parameters would be another mistake.</summary>
    public bool OffersLanguages { get; private set; }

    /// <summary>Whatever method the request had that went wrong.</summary>
    public override async Task OnPageHandlerExecutionAsync(PageHandlerExecutingContext context, PageHandlerExecutionDelegate next)
    {
        await DescribeAsync(HttpContext.RequestAborted);
        await next();
    }

    /// <summary>Lets the page stand in for an empty answer only where a person will read it; programs get the bare status.</summary>
    internal static async Task KeepForBrowsersAsync(HttpContext http, RequestDelegate next)
    {
        await next(http);
        var isForPeople = http.Items.ContainsKey(typeof(ProtocolResponse.ErrorPage))
            || http.Items.ContainsKey(typeof(PageProblem))
            || http.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);
        if (!isForPeople && http.Features.Get<IStatusCodePagesFeature>() is { } feature)
        {
            feature.Enabled = false;
        }
    }

    private async ValueTask DescribeAsync(CancellationToken ct)
    {
        At = clock.GetUtcNow();
        if (HttpContext.Items[typeof(ProtocolResponse.ErrorPage)] is ProtocolResponse.ErrorPage page)
        {
            Protocol = page.Error;
            ClientId = page.ClientId is { Length: <= LongestClientId } id ? id : null;
            App = ClientId is null ? null : await clients.FindAsync(ClientId, ct);
        }

        // Somebody opened the address of this page itself.
        var original = HttpContext.Features.Get<IStatusCodeReExecuteFeature>();
        var isThrown = HttpContext.Features.Get<IExceptionHandlerFeature>() is not null;
        if (original is null && !isThrown)
        {
            Response.StatusCode = StatusCodes.Status404NotFound;
        }

        Kind = KindOf(Protocol, HttpContext.Items[typeof(PageProblem)] as PageProblem?, Response.StatusCode);
        OffersLanguages = HttpMethods.IsGet(Request.Method) && string.IsNullOrEmpty(original?.OriginalQueryString) && !isThrown;
    }

    private static ErrorKind KindOf(ProtocolError? error, PageProblem? problem, int status) => (error, problem, status) switch
    {
        (_, PageProblem.Expired, _) or ({ Parameter: "handle" }, _, _) => ErrorKind.Expired,
        (_, PageProblem.SetupClosed, _) => ErrorKind.SetupClosed,
        (_, PageProblem.NotAnOperator, _) => ErrorKind.NotAnOperator,
        (_, PageProblem.LinkClosed, _) => ErrorKind.LinkClosed,
        (_, PageProblem.OtherBrowser, _) => ErrorKind.OtherBrowser,
        ({ Parameter: "client_id" }, _, _) => ErrorKind.UnknownApp,
        ({ Parameter: "redirect_uri" or "post_logout_redirect_uri" }, _, _) => ErrorKind.UnknownAddress,
        ({ Code: "temporarily_unavailable" }, _, _) or (_, _, StatusCodes.Status503ServiceUnavailable) => ErrorKind.Unavailable,
        (_, _, StatusCodes.Status429TooManyRequests) => ErrorKind.TooMany,
        (_, _, >= 500) => ErrorKind.Server,
        (not null, _, _) => ErrorKind.AppMistake,
        (_, _, StatusCodes.Status400BadRequest) => ErrorKind.Form,
        _ => ErrorKind.NotFound,
    };
}
