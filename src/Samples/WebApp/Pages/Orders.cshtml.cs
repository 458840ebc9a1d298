using System.Net;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using WebApp.SignIn;

namespace WebApp.Pages;

/// <summary>The person's orders, from the API. Whoever is not signed in is sent to the server and comes back here.</summary>
[Authorize]
public sealed class OrdersModel(OrdersApi api) : PageModel
{
    public IReadOnlyList<Order>? Orders { get; private set; }

    public string? Problem { get; private set; }

    public async Task OnGetAsync(CancellationToken ct)
    {
        using var response = await api.ListAsync(await AccessTokenAsync(), ct);
        Problem = Explain(response.StatusCode);
        if (Problem is null)
        {
            Orders = await response.Content.ReadFromJsonAsync<List<Order>>(ct);
        }
    }

    public async Task<IActionResult> OnPostAsync(string? what, CancellationToken ct)
    {
        using var response = await api.PlaceAsync(await AccessTokenAsync(), what ?? "", ct);
        Problem = Explain(response.StatusCode);
        return Problem is null ? RedirectToPage() : Page();
    }

    /// <summary>The API wants to know that it is really the person: then they show it, and press the button again.</summary>
    public async Task<IActionResult> OnPostCancelAsync(int id, CancellationToken ct)
    {
        using var response = await api.CancelAsync(await AccessTokenAsync(), id, ct);
        if (StepUp.Of(response, returnTo: "/orders") is { } stronger)
        {
            return Challenge(stronger);
        }

        Problem = Explain(response.StatusCode);
        return Problem is null ? RedirectToPage() : Page();
    }

    private async Task<string> AccessTokenAsync() => await HttpContext.GetTokenAsync("access_token") ?? "";

    private static string? Explain(HttpStatusCode status) => status switch
    {
        HttpStatusCode.OK or HttpStatusCode.Created or HttpStatusCode.NoContent => null,
        HttpStatusCode.NotFound => "There is no such order any more.",
        HttpStatusCode.Unauthorized => "The API does not accept the access token. Sign out and in again.",
        HttpStatusCode.Forbidden => "You have not allowed this app to do that.",
        HttpStatusCode.BadRequest => "Say what to order, in 1 to 100 characters.",
        _ => $"The API answered {(int)status}.",
    };
}
