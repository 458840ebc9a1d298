using Microsoft.AspNetCore.Mvc;

namespace IdentityServer.SignIn;

/// <summary>Asks for a recovery code, when the second factor is not at hand.</summary>
public sealed class RecoveryModel(PartialVisits visits, SecondFactor factor, TimeProvider clock) : FactorPage(visits, clock)
{
    [BindProperty(Name = "recovery")]
    public string? Typed { get; set; }

    public async Task<IActionResult> OnGetAsync(CancellationToken ct) =>
        await FindVisitAsync(ct) ? Page() : Restart();

    public async Task<IActionResult> OnPostAsync(CancellationToken ct) => await FindVisitAsync(ct)
        ? Answer(await factor.SignInWithRecoveryCodeAsync(Visit.Partial, Typed, HttpContext, ct))
        : Restart();
}
