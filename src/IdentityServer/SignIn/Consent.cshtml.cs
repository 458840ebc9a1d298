using IdentityServer.Errors;
using IdentityServer.Layout;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Consents;
using IdentityServer.Protocol.Pending;
using IdentityServer.Protocol.Scopes;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Resources;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace IdentityServer.SignIn;

/// <summary>Asks whether the app may have what it asks for, and remembers the answer.</summary>
public sealed class ConsentModel(
    PausedRequests requests,
    PendingRequests pending,
    SessionCookie cookie,
    People people,
    ScopeCatalog catalog,
    IConsentStore consents,
    IAuditLog audits,
    IStringLocalizer<Texts> texts,
    TimeProvider clock) : PageModel
{
    private PausedRequest _paused = null!;
    private Session _session = null!;

    [BindProperty(SupportsGet = true)]
    public string? Handle { get; set; }

    [BindProperty]
    public IReadOnlyList<string> Scope { get; set; } = [];

    [BindProperty]
    public string? Answer { get; set; }

    public Client App => _paused.App!;

    public Person Person { get; private set; } = null!;

    public IReadOnlyList<ScopeChoice> Choices { get; private set; } = [];

    public string? Policy => Brand.IsLink(App.PolicyUri) ? App.PolicyUri : null;

    public string? Terms => Brand.IsLink(App.TosUri) ? App.TosUri : null;

    public async Task<IActionResult> OnGetAsync(CancellationToken ct)
    {
        if (await FindAsync(ct) is { } elsewhere)
        {
            return elsewhere;
        }

        Choices = [.. Asked().Select(Describe).OrderBy(choice => choice.IsAbility)];
        return Page();
    }

    public async Task<IActionResult> OnPostAsync(CancellationToken ct)
    {
        if (await FindAsync(ct) is { } elsewhere)
        {
            return elsewhere;
        }

        // 1 what was asked for and ticked; openid cannot be unticked, only refused with everything else
        var asked = Asked();
        var allowed = Answer == "allow"
            ? asked.Where(scope => scope == StandardScopes.OpenId || Scope.Contains(scope, StringComparer.Ordinal)).ToArray()
            : [];

        // 2 remember it for the next time
        var now = clock.GetUtcNow();
        if (allowed.Length == 0)
        {
            await audits.WriteAsync([Event(AuditTypes.ConsentRefused, now)], ct);
        }
        else
        {
            var before = await consents.FindAsync(_session.Subject, App.Id, ct);
            var kept = before?.Scopes.Except(asked, StringComparer.Ordinal) ?? [];
            var consent = new Consent(_session.Subject, App.Id, [.. kept, .. allowed], now);
            await consents.SaveAsync(consent, Event(AuditTypes.ConsentGiven, now), ct);
        }

        // 3 answer this request
        await pending.AnswerAsync(_paused.Request, _session.Id, allowed, ct);
        return new SeeOther(Links.Resume(Request, Handle));
    }

    private async ValueTask<IActionResult?> FindAsync(CancellationToken ct)
    {
        if (await requests.FindAsync(Handle, ct) is not { App: not null } paused)
        {
            return this.Show(PageProblem.Expired);
        }

        // Signed out in another window meanwhile: what comes next is not for this page to say.
        if (await cookie.FindSessionAsync(HttpContext, ct) is not { } session)
        {
            return new SeeOther(Links.Resume(Request, Handle));
        }

        if (await people.FindAsync(session.Subject, ct) is not { } person)
        {
            return new SeeOther(Links.Login(Request, Handle));
        }

        _paused = paused;
        _session = session;
        Person = person;
        return null;
    }

    private string[] Asked() =>
        [.. (_paused["scope"] ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Distinct(StringComparer.Ordinal)
            .Where(scope => App.Scopes.Contains(scope) && catalog.Find(scope) is not null)];

    private ScopeChoice Describe(string name)
    {
        var scope = catalog.Find(name)!;
        var choice = new ScopeChoice(name)
        {
            Label = scope.DisplayName ?? name,
            Hint = scope.Description,
            IsAbility = true,
            ChangesData = scope.ChangesData,
        };
        return name switch
        {
            StandardScopes.OpenId => choice with
            {
                Label = texts["Scope_openid"],
                Hint = texts["Scope_openid_hint"],
                IsAbility = false,
                IsRequired = true,
            },
            StandardScopes.Profile => choice with { Label = texts["Scope_profile"], Hint = Person.Name, IsAbility = false },
            StandardScopes.Email => choice with { Label = texts["Scope_email"], Hint = Person.Email, IsAbility = false },
            StandardScopes.Address => choice with { Label = texts["Scope_address"], IsAbility = false },
            StandardScopes.Phone => choice with { Label = texts["Scope_phone"], Hint = Person.Phone, IsAbility = false },
            StandardScopes.OfflineAccess => choice with
            {
                Label = texts["Scope_offline_access"],
                Hint = texts[
                    "Scope_offline_access_hint", (int)App.RefreshIdleLifetime.TotalDays, (int)App.RefreshAbsoluteLifetime.TotalDays],
            },
            _ => choice,
        };
    }

    private AuditEvent Event(string type, DateTimeOffset now) => new(type, now)
    {
        Actor = "user:" + _session.Subject,
        Subject = _session.Subject,
        ClientId = App.Id,
        SessionId = _session.Id,
        Address = HttpContext.Connection.RemoteIpAddress?.ToString(),
    };
}

/// <summary>One scope as the consent page shows it.</summary>
public sealed record ScopeChoice(string Scope)
{
    public required string Label { get; init; }

    public string? Hint { get; init; }

    /// <summary>Something the app can do, rather than something it learns.</summary>
    public bool IsAbility { get; init; }

    /// <summary>Cannot be left out on its own.</summary>
    public bool IsRequired { get; init; }

    public bool ChangesData { get; init; }

    public bool HasHint => Hint is not null || ChangesData;
}
