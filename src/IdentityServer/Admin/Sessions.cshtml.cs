using IdentityServer.Account;
using IdentityServer.Layout;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Resources;
using IdentityServer.Storage.Sessions;
using IdentityServer.Storage.Users;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Localization;

namespace IdentityServer.Admin;

/// <summary>Who is signed in, and the ways to end that. It ends nothing itself: <see cref="EndModel"/> asks first.</summary>
internal sealed class SessionsModel(
    ConsoleAccess console,
    EndingHelp help,
    ILiveSessions live,
    INames names,
    IClientStore clients,
    AccountWords words,
    IStringLocalizer<Texts> texts,
    TimeProvider clock) : ConsolePage(console)
{
    /// <summary>On one page.</summary>
    public const int Shown = 50;

    [BindProperty(SupportsGet = true, Name = EndTarget.Person)]
    public string? Who { get; set; }

    [BindProperty(SupportsGet = true)]
    public string? Client { get; set; }

    [BindProperty(SupportsGet = true)]
    public string? Address { get; set; }

    [BindProperty(SupportsGet = true)]
    public string? Cursor { get; set; }

    public AccountWords Words => words;

    public DateTimeOffset Now { get; } = clock.GetUtcNow();

    public IReadOnlyList<LiveSession> Sessions { get; private set; } = [];

    /// <summary>Where the next part begins; <see langword="null"/>: there is none.</summary>
    public string? Next { get; private set; }

    /// <summary>Nobody is called what was typed.</summary>
    public bool IsUnknown { get; private set; }

    public IReadOnlyList<Client> Clients { get; private set; } = [];

    public EndingNames Names { get; private set; } = null!;

    /// <summary>What could not be ended because it is not there.</summary>
    public EndDraft? Draft { get; private set; }

    public bool IsFiltered => Who is not null || Client is not null || Address is not null;

    /// <summary>May end what many people have.</summary>
    public bool MayEndMany => Visit.May(AdminArea.ManySessions);

    public async Task<IActionResult> OnGetAsync(CancellationToken ct)
    {
        if (await EnterAsync(AdminArea.Sessions, Links.SessionsName, ct) is { } refused)
        {
            return refused;
        }

        (Who, Client, Address) = (Typed(Who), Typed(Client), Typed(Address));
        Draft = EndDraft.TakeNotThere(TempData);
        Clients = [.. (await clients.ListAsync(ct)).OrderBy(client => client.Name, StringComparer.CurrentCultureIgnoreCase)];
        var filter = new LiveFilter { ClientId = Client, Address = Address };
        if (Who is not null)
        {
            var subject = await help.SubjectOfAsync(Who, ct);
            IsUnknown = subject is null;
            filter = filter with { Subject = subject };
        }

        if (!IsUnknown)
        {
            await ReadAsync(filter, ct);
        }

        Names = new EndingNames(
            await names.FindAsync(Sessions.Select(entry => entry.Session.Subject), ct),
            Clients.ToDictionary(client => client.Id, client => client.Name, StringComparer.Ordinal));
        return Page();
    }

    /// <summary>Whether one factor was enough.</summary>
    public static bool IsWeak(Session session) => !AcrValues.Satisfies(session.Acr, AcrValues.Mfa);

    /// <summary>Why something was not ended, in the reader's language; <see langword="null"/> when it was another field.</summary>
    public string? FaultOf(string name) => Draft is { Fault: { } fault, Target: var target } && target.Name == name ? Explain(fault) : null;

    private string Explain(string fault) => fault switch
    {
        "unknown_person" => texts["Sessions_NoPerson"],
        "unknown_client" => texts["End_NoClient"],
        "in_the_future" => texts["End_Future"],
        _ => texts["End_NoTime"],
    };

    private async ValueTask ReadAsync(LiveFilter filter, CancellationToken ct)
    {
        (DateTimeOffset, string)? after = Cursor is { Length: > 0 } cursor && SessionCursor.TryRead(cursor, out var at, out var id) ? (at, id) : null;
        var found = await live.ListAsync(filter, after, Shown + 1, Now, ct);
        Sessions = [.. found.Take(Shown)];
        Next = found.Count > Shown ? SessionCursor.Write(Sessions[^1].Session.CreatedAt, Sessions[^1].Session.Id) : null;
    }

    private static string? Typed(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}
