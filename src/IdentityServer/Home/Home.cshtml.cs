using IdentityServer.SignIn;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdentityServer.Home;

/// <summary>The front door: whose server this is, and who is signed in.</summary>
public sealed class HomeModel(SessionCookie cookie, People people, IHostEnvironment environment) : PageModel
{
    public Person? Person { get; private set; }

    public bool HasPlayground => environment.IsDevelopment();

    public async Task OnGetAsync(CancellationToken ct) =>
        Person = await cookie.FindSessionAsync(HttpContext, ct) is { } session
            ? await people.FindAsync(session.Subject, ct)
            : null;
}
