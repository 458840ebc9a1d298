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

/// <summary>Says what would end, asks why, and ends it.</summary>
internal sealed class EndModel(
    ConsoleAccess console,
    EndingHelp help,
    ILiveSessions live,
    ISessionStore sessions,
    INames names,
    IClientStore clients,
    AccountWords words,
    IStringLocalizer<Texts> texts,
    TimeProvider clock) : ConsolePage(console)
{
    /// <summary>More are not counted.</summary>
    public const int Counted = 200;

    [BindProperty(SupportsGet = true)]
    public string? Sid { get; set; }

    [BindProperty(SupportsGet = true)]
    public string? Person { get; set; }

    [BindProperty(SupportsGet = true)]
    public string? Client { get; set; }

    [BindProperty(SupportsGet = true)]
    public string? Before { get; set; }

    [BindProperty(SupportsGet = true)]
    public string? All { get; set; }

    [BindProperty]
    public string? Reason { get; set; }

    [BindProperty]
    public string? Sure { get; set; }

    public AccountWords Words => words;

    public DateTimeOffset Now { get; } = clock.GetUtcNow();

    public EndTarget Target { get; private set; } = null!;

    /// <summary>What came back to be put right or to be done.</summary>
    public EndDraft? Draft { get; private set; }

    /// <summary>The session.</summary>
    public Session? Session { get; private set; }

    /// <summary>The apps that were given something in it.</summary>
    public IReadOnlyList<string> Apps { get; private set; } = [];

    /// <summary>Whose it is.</summary>
    public PersonName? Name { get; private set; }

    /// <summary>The app.</summary>
    public Client? App { get; private set; }

    /// <summary>The instant.</summary>
    public DateTimeOffset Instant { get; private set; }

    /// <summary>How many sessions end, up to <see cref="Counted"/>; <see langword="null"/>: it is not counted.</summary>
    public int? Count { get; private set; }

    /// <summary>The visitor's own session is among them.</summary>
    public bool EndsOwn { get; private set; }

    public async Task<IActionResult> OnGetAsync(CancellationToken ct)
    {
        var asked = EndTarget.Of(Sid, Person, Client, Before, All);
        if (await EnterAsync(AdminArea.Sessions, Links.EndName, ct) is { } refused)
        {
            if (Visit is null && asked is not null)
            {
                new EndDraft { Target = asked }.Save(TempData);
            }

            return refused;
        }

        var draft = EndDraft.Take(TempData);
        if ((asked ?? draft?.Target) is not { } target)
        {
            return new SeeOther(Links.Sessions(Request));
        }

        if (!Visit.May(target.Area))
        {
            return Forbidden();
        }

        Target = target;
        Draft = draft?.Target == target ? draft : null;
        return await FindAsync(ct) is { } elsewhere ? elsewhere : Page();
    }

    public async Task<IActionResult> OnPostAsync(CancellationToken ct)
    {
        var asked = EndTarget.Of(Sid, Person, Client, Before, All);
        var draft = asked is null ? null : new EndDraft { Target = asked, Reason = Reason, IsSure = Sure is not null };
        if (await EnterAsync(AdminArea.Sessions, Links.EndName, ct) is { } refused)
        {
            if (Visit is null)
            {
                draft?.Save(TempData);
            }

            return refused;
        }

        if (draft is null)
        {
            return new SeeOther(Links.Sessions(Request));
        }

        if (!Visit.May(draft.Target.Area))
        {
            return Forbidden();
        }

        if (FaultIn(draft) is { } fault)
        {
            return Refuse(draft, fault);
        }

        if (WayToProof(Links.EndName) is { } toProof)
        {
            draft.Save(TempData);
            return toProof;
        }

        switch (await DoAsync(draft.Target, draft.Reason!.Trim(), ct))
        {
            case EndOutcome.Done { Receipts: [var only] }:
                return new SeeOther(Links.Receipt(Request, only.Id));
            case EndOutcome.Done done:
                TempData[ReceiptsModel.DoneName] = texts["End_DoneMany", done.Receipts.Count].Value;
                return new SeeOther(Links.Receipts(Request));
            case EndOutcome.Refused no:
                return Refuse(draft, no.Code);
            default:
                throw new InvalidOperationException("An outcome without an answer.");
        }
    }

    /// <summary>Why it was not done, in the reader's language.</summary>
    public string? Fault => Draft?.Fault is { } fault ? Explain(fault) : null;

    private static string? FaultIn(EndDraft draft) =>
        PersonHelp.ReasonFault(draft.Reason) is not null ? "invalid_reason"
        : draft is { Target.Name: EndTarget.All, IsSure: false } ? "not_sure"
        : null;

    private string Explain(string fault) => fault switch
    {
        "invalid_reason" => texts["End_NoReason", PersonHelp.LongestReason],
        "not_sure" => texts["End_NotSure"],
        "nothing_to_do" => texts["End_Nothing"],
        "in_the_future" => texts["End_Future"],
        _ => texts["End_Gone"],
    };

    private SeeOther Refuse(EndDraft draft, string fault)
    {
        (draft with { Fault = fault }).Save(TempData);
        return new SeeOther(Links.End(Request, draft.Target.Name, draft.Target.Value));
    }

    /// <summary>Finds what is to end.</summary>
    /// <returns>Where to go instead: it is not there.</returns>
    private async ValueTask<IActionResult?> FindAsync(CancellationToken ct)
    {
        switch (Target.Name)
        {
            case EndTarget.Session:
                return await FindSessionAsync(ct) ? null : NotFound();
            case EndTarget.Person:
                if (await help.SubjectOfAsync(Target.Value, ct) is not { } subject)
                {
                    return NotThere("unknown_person");
                }

                Name = await NameOfAsync(subject, ct);
                Count = (await live.ListAsync(new LiveFilter { Subject = subject }, null, Counted, Now, ct)).Count;
                EndsOwn = subject == Visit.Person.Subject;
                return null;
            case EndTarget.Client:
                App = await clients.FindAsync(Target.Value, ct);
                return App is null ? NotThere("unknown_client") : null;
            case EndTarget.Before:
                if (!MomentField.TryRead(Target.Value, out var instant) || instant > Now)
                {
                    return NotThere(instant > Now ? "in_the_future" : "invalid_time");
                }

                Instant = instant;
                Count = (await live.ListOpenedBeforeAsync(instant, "", Now, ct)).Count;
                EndsOwn = Visit.Session.CreatedAt < instant;
                return null;
            default:
                EndsOwn = true;
                return null;
        }
    }

    private async ValueTask<bool> FindSessionAsync(CancellationToken ct)
    {
        Session = await sessions.FindAsync(Target.Value, ct);
        if (Session is null)
        {
            return false;
        }

        Name = await NameOfAsync(Session.Subject, ct);
        var ids = await sessions.ListClientsAsync(Session.Id, ct);
        var known = (await clients.ListAsync(ct)).ToDictionary(client => client.Id, client => client.Name, StringComparer.Ordinal);
        Apps = [.. ids.Select(id => known.GetValueOrDefault(id) ?? id)];
        EndsOwn = Session.Id == Visit.Session.Id;
        return true;
    }

    private async ValueTask<PersonName> NameOfAsync(string subject, CancellationToken ct) =>
        (await names.FindAsync([subject], ct)).GetValueOrDefault(subject) ?? new PersonName(subject, FullName: null);

    // Typed into a form of the page of sessions: said there.
    private SeeOther NotThere(string fault)
    {
        new EndDraft { Target = Target, Fault = fault }.Save(TempData);
        return new SeeOther(Links.Sessions(Request) + "#more");
    }

    private async ValueTask<EndOutcome> DoAsync(EndTarget target, string reason, CancellationToken ct)
    {
        switch (target.Name)
        {
            case EndTarget.Session:
                return await help.EndSessionAsync(target.Value, reason, Visit.Actor, ct);
            case EndTarget.Person:
                return await help.SubjectOfAsync(target.Value, ct) is { } subject
                    ? await help.EndPersonAsync(subject, reason, Visit.Actor, ct)
                    : new EndOutcome.Refused("unknown_person", "There is no such person.");
            case EndTarget.Client:
                return await help.EndClientAsync(target.Value, reason, Visit.Actor, ct);
            case EndTarget.Before:
                return MomentField.TryRead(target.Value, out var instant)
                    ? await help.EndBeforeAsync(instant, reason, Visit.Actor, ct)
                    : new EndOutcome.Refused("invalid_time", "The instant cannot be read.");
            default:
                return await help.EndEverythingAsync(reason, Visit.Actor, ct);
        }
    }
}
