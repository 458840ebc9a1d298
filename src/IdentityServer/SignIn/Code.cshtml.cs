using IdentityServer.Configuration;
using Microsoft.AspNetCore.Mvc;

namespace IdentityServer.SignIn;

/// <summary>Asks for the code of an authenticator app.</summary>
public sealed class CodeModel(PartialVisits visits, SecondFactor factor, SignInSettings settings, TimeProvider clock)
    : FactorPage(visits, clock)
{
    [BindProperty(Name = "code")]
    public string? Typed { get; set; }

    [BindProperty]
    public string? Remember { get; set; }

    /// <summary>For how many days this device may be spared the code; 0: it may not.</summary>
    public int RememberDays => (int)settings.RememberDevice.TotalDays;

    public async Task<IActionResult> OnGetAsync(CancellationToken ct) =>
        await FindVisitAsync(ct) ? Page() : Restart();

    public async Task<IActionResult> OnPostAsync(CancellationToken ct) => await FindVisitAsync(ct)
        ? Answer(await factor.SignInWithAppAsync(Visit.Partial, Typed, Remember is not null, HttpContext, ct))
        : Restart();
}
