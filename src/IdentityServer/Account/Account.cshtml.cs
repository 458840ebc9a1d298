using IdentityServer.Configuration;
using IdentityServer.Layout;
using IdentityServer.Mail;
using IdentityServer.Passkeys;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Resources;
using IdentityServer.Storage.Accounts;
using IdentityServer.Storage.Devices;
using IdentityServer.Storage.Factors;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Localization;

namespace IdentityServer.Account;

/// <summary>
/// A person's account at a glance: who they are here, how they sign in, where they are signed in, and which apps they let in. What it
/// ends can be ended without another proof; a thief would gain nothing by it.
/// </summary>
public sealed class AccountModel(
    AccountAccess access,
    AccountWords words,
    IAccounts accounts,
    IAuthenticators authenticators,
    IPasskeys passkeys,
    IDevices devices,
    ISessionStore sessions,
    ClientDirectory clients,
    PasskeyDomain domain,
    MailRoute mails,
    SignInSettings settings,
    Revoker revoker,
    IStringLocalizer<Texts> texts,
    TimeProvider clock) : AccountPage(access, clock)
{
    /// <summary>More are counted, not listed.</summary>
    public const int Shown = 50;

    [BindProperty]
    public string? Id { get; set; }

    public AccountWords Words => words;

    public IReadOnlyList<Authenticator> Authenticators { get; private set; } = [];

    public IReadOnlyList<Passkey> Passkeys { get; private set; } = [];

    public bool OffersPasskeys => domain.IsOn;

    /// <summary>The address can be changed: a link can be sent to the new one.</summary>
    public bool OffersEmail => mails.IsOn;

    /// <summary>The sessions that are alive, this one first.</summary>
    public IReadOnlyList<SessionEntry> Sessions { get; private set; } = [];

    /// <summary>How many sessions are alive.</summary>
    public int SessionCount { get; private set; }

    public IReadOnlyList<Device> Devices { get; private set; } = [];

    /// <summary>How many browsers are known.</summary>
    public int DeviceCount { get; private set; }

    public IReadOnlyList<ConnectedApp> Apps { get; private set; } = [];

    /// <summary>A second factor is asked for at every sign-in, whatever the person wants.</summary>
    public bool RequiresFactor => settings.RequireSecondFactor || Visit.User.RequiresSecondFactor;

    public async Task<IActionResult> OnGetAsync(CancellationToken ct)
    {
        if (await EnterAsync(ct) is { } elsewhere)
        {
            return elsewhere;
        }

        TakeWords();
        Authenticators = await authenticators.ListAsync(Visit.Subject, ct);
        Passkeys = await passkeys.ListAsync(Visit.Subject, ct);
        var known = await devices.ListAsync(Visit.Subject, Now, ct);
        (Devices, DeviceCount) = ([.. known.Take(Shown)], known.Count);
        await ReadSessionsAsync(ct);
        await ReadAppsAsync(ct);
        return Page();
    }

    public async Task<IActionResult> OnPostEndSessionAsync(CancellationToken ct)
    {
        if (await EnterAsync(ct) is { } elsewhere)
        {
            return elsewhere;
        }

        // Somebody else's session, and one that ended meanwhile: nothing happens, and the answer is the same.
        if (Id is not null && Id != Visit.Session.Id && await sessions.FindAsync(Id, ct) is { } session && session.Subject == Visit.Subject)
        {
            await revoker.EndSessionAsync(session.Id, Visit.Subject, alsoOffline: true, Because("ended_in_account"), ct);
        }

        return Tell(texts["Account_DoneSession"], Links.Account(Request));
    }

    public async Task<IActionResult> OnPostEndOthersAsync(CancellationToken ct)
    {
        if (await EnterAsync(ct) is { } elsewhere)
        {
            return elsewhere;
        }

        await revoker.EndPersonAsync(Visit.Subject, Visit.Session.Id, change: null, Because("ended_in_account"), ct);
        return Tell(texts["Account_DoneOthers"], Links.Account(Request));
    }

    public async Task<IActionResult> OnPostAskAgainAsync(CancellationToken ct)
    {
        if (await EnterAsync(ct) is { } elsewhere)
        {
            return elsewhere;
        }

        await devices.ForgetFactorAsync(Visit.Subject, Id ?? "", Event(AuditTypes.DeviceForgotten, "factor"), ct);
        return Tell(texts["Account_DoneAskAgain"], Links.Account(Request));
    }

    public async Task<IActionResult> OnPostForgetAsync(CancellationToken ct)
    {
        if (await EnterAsync(ct) is { } elsewhere)
        {
            return elsewhere;
        }

        await devices.ForgetAsync(Visit.Subject, Id ?? "", Event(AuditTypes.DeviceForgotten, "device"), ct);
        return Tell(texts["Account_DoneForget"], Links.Account(Request));
    }

    public async Task<IActionResult> OnPostRemoveAppAsync(CancellationToken ct)
    {
        if (await EnterAsync(ct) is { } elsewhere)
        {
            return elsewhere;
        }

        if (Id is { } clientId && Identifiers.Fault(clientId) is null)
        {
            await revoker.EndAppAsync(Visit.Subject, clientId, Because("removed_in_account"), ct);
        }

        return Tell(texts["Account_DoneApp"], Links.Account(Request));
    }

    private async ValueTask ReadSessionsAsync(CancellationToken ct)
    {
        var alive = (await accounts.ListSessionsAsync(Visit.Subject, ct))
            .Where(session => session.IsLive(Now))
            .OrderByDescending(session => session.Id == Visit.Session.Id)
            .ToArray();
        var shown = new List<SessionEntry>();
        foreach (var session in alive.Take(Shown))
        {
            var apps = new List<string>();
            foreach (var clientId in await sessions.ListClientsAsync(session.Id, ct))
            {
                apps.Add(await NameOfAsync(clientId, ct));
            }

            shown.Add(new SessionEntry(session, apps, session.Id == Visit.Session.Id));
        }

        (Sessions, SessionCount) = (shown, alive.Length);
    }

    private async ValueTask ReadAppsAsync(CancellationToken ct)
    {
        var consents = await accounts.ListConsentsAsync(Visit.Subject, ct);
        var grants = (await accounts.ListOfflineGrantsAsync(Visit.Subject, Now, ct)).ToLookup(grant => grant.ClientId, StringComparer.Ordinal);
        var apps = new List<ConnectedApp>();
        foreach (var clientId in consents.Select(consent => consent.ClientId).Union(grants.Select(group => group.Key), StringComparer.Ordinal))
        {
            var consent = consents.FirstOrDefault(consent => consent.ClientId == clientId);
            var given = grants[clientId].ToArray();
            apps.Add(new ConnectedApp(clientId, await NameOfAsync(clientId, ct))
            {
                Scopes = [.. (consent?.Scopes ?? []).Union(given.SelectMany(grant => grant.Scopes), StringComparer.Ordinal)],
                Since = given.Select(grant => grant.GrantedAt).Concat(consent is null ? [] : [consent.GivenAt]).Min(),
                Until = given.Length == 0 ? null : given.Max(grant => grant.ExpiresAt),
            });
        }

        Apps = [.. apps.OrderBy(app => app.Name, StringComparer.CurrentCultureIgnoreCase)];
    }

    // An app that was removed from the server is still known by its id.
    private async ValueTask<string> NameOfAsync(string clientId, CancellationToken ct) =>
        (await clients.FindAsync(clientId, ct))?.Name ?? clientId;
}

/// <summary>A session in the list.</summary>
/// <param name="Session">The session.</param>
/// <param name="Apps">Names of the apps that were given something in it.</param>
/// <param name="IsThis">The page is looked at in it.</param>
public sealed record SessionEntry(Session Session, IReadOnlyList<string> Apps, bool IsThis);

/// <summary>An app that was let in.</summary>
/// <param name="ClientId">Its id.</param>
/// <param name="Name">Its name.</param>
public sealed record ConnectedApp(string ClientId, string Name)
{
    public required IReadOnlyList<string> Scopes { get; init; }

    public required DateTimeOffset Since { get; init; }

    /// <summary>Until when it goes on without the person; <see langword="null"/>: it does not.</summary>
    public DateTimeOffset? Until { get; init; }
}
