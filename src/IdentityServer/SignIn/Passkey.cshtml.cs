using IdentityServer.Layout;
using IdentityServer.Passkeys;
using Microsoft.AspNetCore.Mvc;

namespace IdentityServer.SignIn;

/// <summary>Asks somebody in the middle of a sign-in for their passkey: after the password, or for a stronger proof.</summary>
public sealed class PasskeyModel(PartialVisits visits, PasskeySignIn passkeys, TimeProvider clock) : FactorPage(visits, clock)
{
    [BindProperty]
    public string? Ceremony { get; set; }

    [BindProperty]
    public string? Credential { get; set; }

    public async Task<IActionResult> OnGetAsync(CancellationToken ct) =>
        !await FindVisitAsync(ct) ? Restart()
        : Visit.OffersPasskey ? Page()
        : new SeeOther(Links.Onward(Request, Visit.FirstPage));

    public async Task<IActionResult> OnPostOptionsAsync(CancellationToken ct) =>
        await FindVisitAsync(ct) && Visit.OffersPasskey
            ? await passkeys.BeginFactorAsync(Visit.Partial, HttpContext, ct)
            : CeremonyAnswer.None;

    public async Task<IActionResult> OnPostPasskeyAsync(CancellationToken ct) =>
        await FindVisitAsync(ct) && Visit.OffersPasskey
            ? Answer(await passkeys.FactorAsync(Visit.Partial, Ceremony, Credential, HttpContext, ct))
            : Restart();
}
