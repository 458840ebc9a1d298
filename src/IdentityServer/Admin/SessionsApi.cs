using System.Globalization;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Risk;
using IdentityServer.Storage.Sessions;

namespace IdentityServer.Admin;

/// <summary>
/// Who is signed in, what apps were given, and its end, in the admin API: <c>/admin/api/v1/sessions…</c>, <c>/grants…</c>,
/// <c>/receipts…</c> (docs/admin-api.md).
/// </summary>
internal sealed class SessionsApi(EndingHelp help, ILiveSessions live, IReceiptStore receipts, ILocator locator, TimeProvider clock)
{
    private const int Most = 200;
    private const int Usual = 50;

    /// <summary>What can be done at an address, by method; <see langword="null"/>: nothing is there.</summary>
    public IReadOnlyDictionary<string, AdminDeed>? Find(string[] path) => path switch
    {
        ["sessions"] => Of(("GET", ListAsync), ("DELETE", EndManyAsync)),
        ["sessions", var sid] => Of(("DELETE", (call, ct) => EndAsync(call, (reason, ct) => help.EndSessionAsync(sid, reason, call.Actor, ct), ct))),
        ["grants"] => Of(("GET", ListGrantsAsync), ("DELETE", EndGrantsAsync)),
        ["grants", var gid] => Of(("DELETE", (call, ct) => EndAsync(call, (reason, ct) => help.EndGrantAsync(gid, reason, call.Actor, ct), ct))),
        ["receipts"] => Of(("GET", ListReceiptsAsync)),
        ["receipts", var id] => Of(("GET", (_, ct) => ShowReceiptAsync(id, ct))),
        _ => null,
    };

    /// <summary>Who may do it: what one person has, or what many have.</summary>
    public static AdminArea AreaOf(HttpRequest request, string[] path) =>
        HttpMethods.IsDelete(request.Method) && path.Length == 1 && request.Query["person"].ToString().Length == 0
            ? AdminArea.ManySessions
            : AdminArea.Sessions;

    private static Dictionary<string, AdminDeed> Of(params (string Method, AdminDeed Deed)[] deeds) =>
        deeds.ToDictionary(deed => deed.Method, deed => deed.Deed, StringComparer.Ordinal);

    private async ValueTask<AdminAnswer> ListAsync(AdminCall call, CancellationToken ct)
    {
        var (filter, count, refused) = await ReadAsync(call, ct);
        if (refused is not null)
        {
            return refused;
        }

        (DateTimeOffset, string)? after = null;
        if (call.Query["cursor"].ToString() is { Length: > 0 } cursor)
        {
            if (!SessionCursor.TryRead(cursor, out var at, out var id))
            {
                return AdminAnswer.Malformed("The cursor is not one of this list. Leave it out to begin anew.");
            }

            after = (at, id);
        }

        var found = await live.ListAsync(filter, after, count + 1, clock.GetUtcNow(), ct);
        var page = found.Take(count).ToArray();
        return AdminAnswer.Of(
            new SessionListView(
                [.. page.Select(entry => SessionView.Of(entry, locator))],
                found.Count > count ? SessionCursor.Write(page[^1].Session.CreatedAt, page[^1].Session.Id) : null),
            AdminJson.Plain.SessionListView);
    }

    private async ValueTask<AdminAnswer> ListGrantsAsync(AdminCall call, CancellationToken ct)
    {
        var (filter, count, refused) = await ReadAsync(call, ct);
        if (refused is not null)
        {
            return refused;
        }

        // Ids are in order, so the last one is the cursor.
        var found = await live.ListGrantsAsync(filter, call.Query["cursor"].ToString(), count + 1, clock.GetUtcNow(), ct);
        var page = found.Take(count).ToArray();
        return AdminAnswer.Of(
            new GrantListView([.. page.Select(GrantView.Of)], found.Count > count ? page[^1].Grant.Id : null), AdminJson.Plain.GrantListView);
    }

    private async ValueTask<AdminAnswer> ListReceiptsAsync(AdminCall call, CancellationToken ct)
    {
        if (!TryReadCount(call, out var count))
        {
            return BadCount;
        }

        Receipt? before = null;
        if (call.Query["cursor"].ToString() is { Length: > 0 } cursor && (before = await receipts.FindAsync(cursor, ct)) is null)
        {
            return AdminAnswer.Malformed("The cursor is not one of this list. Leave it out to begin anew.");
        }

        var found = await receipts.ListAsync(before, count + 1, ct);
        var views = new List<ReceiptView>();
        foreach (var receipt in found.Take(count))
        {
            views.Add(await help.ViewAsync(receipt, ct));
        }

        return AdminAnswer.Of(new ReceiptListView(views, found.Count > count ? views[^1].Id : null), AdminJson.Plain.ReceiptListView);
    }

    private async ValueTask<AdminAnswer> ShowReceiptAsync(string id, CancellationToken ct) =>
        await receipts.FindAsync(id, ct) is { } receipt
            ? AdminAnswer.Of(await help.ViewAsync(receipt, ct), AdminJson.Plain.ReceiptView)
            : AdminAnswer.Problem(StatusCodes.Status404NotFound, "unknown_receipt", "There is no such receipt", "No ending has this receipt.");

    private async ValueTask<AdminAnswer> EndManyAsync(AdminCall call, CancellationToken ct)
    {
        // Exactly one of these says whose: a request without any would otherwise end everything.
        var (person, client, before, all) = (Asked("person"), Asked("client"), Asked("before"), Asked("all"));
        if (new[] { person, client, before, all }.Count(word => word is not null) != 1 || all is not (null or "true"))
        {
            return AdminAnswer.Malformed("Say what to end with exactly one of ?person=, ?client=, ?before= and ?all=true.");
        }

        if (person is not null)
        {
            return await help.SubjectOfAsync(person, ct) is { } subject
                ? await EndAsync(call, (reason, ct) => help.EndPersonAsync(subject, reason, call.Actor, ct), ct)
                : UnknownPerson;
        }

        if (before is not null)
        {
            return InstantConverter.TryParse(before, out var instant)
                ? await EndAsync(call, (reason, ct) => help.EndBeforeAsync(instant, reason, call.Actor, ct), ct)
                : AdminAnswer.Malformed("The instant before is ISO 8601 with a zone, such as 2026-12-01T09:00:00Z.");
        }

        return client is not null
            ? await EndAsync(call, (reason, ct) => help.EndClientAsync(client, reason, call.Actor, ct), ct)
            : await EndAsync(call, (reason, ct) => help.EndEverythingAsync(reason, call.Actor, ct), ct);

        string? Asked(string name) => call.Query[name].ToString() is { Length: > 0 } value ? value : null;
    }

    private async ValueTask<AdminAnswer> EndGrantsAsync(AdminCall call, CancellationToken ct)
    {
        var (person, client) = (call.Query["person"].ToString(), call.Query["client"].ToString());
        if (client.Length == 0)
        {
            return AdminAnswer.Malformed("Say whose grants to end: ?client=, and ?person= for those of one person.");
        }

        if (person.Length == 0)
        {
            return await EndAsync(call, (reason, ct) => help.EndClientAsync(client, reason, call.Actor, ct), ct);
        }

        return await help.SubjectOfAsync(person, ct) is { } subject
            ? await EndAsync(call, (reason, ct) => help.EndAppAsync(subject, client, reason, call.Actor, ct), ct)
            : UnknownPerson;
    }

    private static async ValueTask<AdminAnswer> EndAsync(
        AdminCall call, Func<string, CancellationToken, ValueTask<EndOutcome>> end, CancellationToken ct)
    {
        if (!call.TryRead(AdminJson.Plain.ReasonBody, out var body, out var refused))
        {
            return refused;
        }

        if (PersonHelp.ReasonFault(body.Reason) is { } fault)
        {
            return AdminAnswer.Malformed($"The member reason {fault}");
        }

        return await end(body.Reason!, ct) switch
        {
            EndOutcome.Done done => AdminAnswer.Of(
                new EndedView(done.Receipts.Count, [.. done.Receipts.Select(receipt => receipt.Id)]), AdminJson.Plain.EndedView) with
            {
                Location = "/admin/api/v1/receipts/" + done.Receipts[0].Id,
            },
            EndOutcome.Refused { Code: "nothing_to_do" or "in_the_future" } no =>
                AdminAnswer.Problem(StatusCodes.Status409Conflict, no.Code, "Nothing was ended", no.What),
            EndOutcome.Refused no => AdminAnswer.Problem(StatusCodes.Status404NotFound, no.Code, "It is not there", no.What),
            _ => throw new InvalidOperationException("An outcome without an answer."),
        };
    }

    private async ValueTask<(LiveFilter Filter, int Count, AdminAnswer? Refused)> ReadAsync(AdminCall call, CancellationToken ct)
    {
        var filter = new LiveFilter { ClientId = Asked("client"), Address = Asked("address") };
        if (!TryReadCount(call, out var count))
        {
            return (filter, 0, BadCount);
        }

        if (Asked("person") is { } person)
        {
            if (await help.SubjectOfAsync(person, ct) is not { } subject)
            {
                return (filter, 0, UnknownPerson);
            }

            filter = filter with { Subject = subject };
        }

        foreach (var (name, set) in new (string, Func<DateTimeOffset, LiveFilter>)[]
        {
            ("since", at => filter with { Since = at }),
            ("before", at => filter with { Before = at }),
        })
        {
            if (Asked(name) is { } text)
            {
                if (!InstantConverter.TryParse(text, out var instant))
                {
                    return (filter, 0, AdminAnswer.Malformed($"The instant {name} is ISO 8601 with a zone, such as 2026-12-01T09:00:00Z."));
                }

                filter = set(instant);
            }
        }

        return (filter, count, null);

        string? Asked(string name) => call.Query[name].ToString() is { Length: > 0 } value ? value : null;
    }

    private static bool TryReadCount(AdminCall call, out int count)
    {
        count = Usual;
        return call.Query["limit"].ToString() is not { Length: > 0 } text
            || (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out count) && count is > 0 and <= Most);
    }

    private static AdminAnswer BadCount { get; } = AdminAnswer.Malformed("The limit is a number from 1 to 200.");

    private static AdminAnswer UnknownPerson { get; } = AdminAnswer.Problem(
        StatusCodes.Status404NotFound, "unknown_person", "There is no such person", "No person has this sub, user name or e-mail address.");
}

/// <summary>A session that is alive.</summary>
internal sealed record SessionView
{
    public required string Sid { get; init; }

    public required string Sub { get; init; }

    public required string UserName { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset LastSeenAt { get; init; }

    public required DateTimeOffset AuthTime { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public required IReadOnlyList<string> Amr { get; init; }

    public required string Acr { get; init; }

    public string? Address { get; init; }

    /// <summary>ISO 3166, when it is known.</summary>
    public string? Country { get; init; }

    public string? UserAgent { get; init; }

    public required IReadOnlyList<string> Clients { get; init; }

    public static SessionView Of(LiveSession live, ILocator locator) => new()
    {
        Sid = live.Session.Id,
        Sub = live.Session.Subject,
        UserName = live.UserName,
        CreatedAt = live.Session.CreatedAt,
        LastSeenAt = live.Session.LastSeenAt,
        AuthTime = live.Session.AuthenticatedAt,
        ExpiresAt = live.Session.ExpiresAt,
        Amr = live.Session.Amr,
        Acr = live.Session.Acr,
        Address = live.Session.Address,
        Country = locator.CountryOf(live.Session.Address),
        UserAgent = live.Session.UserAgent,
        Clients = live.Clients,
    };
}

internal sealed record SessionListView(IReadOnlyList<SessionView> Sessions, string? Next);

/// <summary>A grant that is alive.</summary>
internal sealed record GrantView
{
    public required string Gid { get; init; }

    public required string Sub { get; init; }

    public required string UserName { get; init; }

    public required string ClientId { get; init; }

    public required string Sid { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }

    public required DateTimeOffset GrantedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>It outlives the person's sign-out.</summary>
    public required bool Offline { get; init; }

    public static GrantView Of(LiveGrant live) => new()
    {
        Gid = live.Grant.Id,
        Sub = live.Grant.Subject,
        UserName = live.UserName,
        ClientId = live.Grant.ClientId,
        Sid = live.Grant.SessionId,
        Scopes = live.Grant.Scopes,
        GrantedAt = live.Grant.GrantedAt,
        ExpiresAt = live.Grant.ExpiresAt,
        Offline = live.Grant.IsOffline,
    };
}

internal sealed record GrantListView(IReadOnlyList<GrantView> Grants, string? Next);

internal sealed record ReceiptListView(IReadOnlyList<ReceiptView> Receipts, string? Next);

/// <param name="Ended">How many deeds it took.</param>
/// <param name="Receipts">A receipt for each.</param>
internal sealed record EndedView(int Ended, IReadOnlyList<string> Receipts);
