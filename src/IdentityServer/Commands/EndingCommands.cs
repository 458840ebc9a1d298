using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.Json;
using IdentityServer.Admin;
using IdentityServer.Risk;
using IdentityServer.Storage.Sessions;

namespace IdentityServer.Commands;

/// <summary><c>sessions list|end</c> and <c>grants list|end</c>: who is signed in, what apps were given, and its end.</summary>
internal static class EndingCommands
{
    private const int PageSize = 200;

    private static readonly TimeSpan Usual = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(200);

    public static Command Sessions(Terminal terminal) => new("sessions", "Who is signed in.")
    {
        List(terminal),
        EndSessions(terminal),
    };

    public static Command Grants(Terminal terminal) => new("grants", "What apps were given.")
    {
        ListGrants(terminal),
        EndGrants(terminal),
    };

    private static Command List(Terminal terminal)
    {
        var user = User();
        var client = Client();
        var json = CommonOptions.Json();
        var list = new Command("list", "List the sessions that are alive, the latest first.") { user, client, json };
        list.SetAction(async (parsed, ct) =>
        {
            await using var session = await CommandSession.OpenCurrentAsync(ct);
            var filter = await FilterAsync(session, parsed.GetValue(user), parsed.GetValue(client), ct);
            var found = new List<LiveSession>();
            IReadOnlyList<LiveSession> part;
            do
            {
                (DateTimeOffset, string)? after = found.Count == 0 ? null : (found[^1].Session.CreatedAt, found[^1].Session.Id);
                part = await session.Get<ILiveSessions>().ListAsync(filter, after, PageSize, session.Now, ct);
                found.AddRange(part);
            }
            while (part.Count == PageSize);

            var locator = session.Get<ILocator>();
            if (parsed.GetValue(json))
            {
                terminal.WriteJsonArray(
                    found.Select(live => SessionView.Of(live, locator)), (writer, view) => JsonSerializer.Serialize(writer, view, AdminJson.Plain.SessionView));
                return ExitCodes.Done;
            }

            terminal.WriteTable(
                "Nobody is signed in.",
                ["Session", "User", "Signed in", "Last seen", "With", "Address", "Country", "Browser", "Apps"],
                found.Select(live => new[]
                {
                    live.Session.Id, live.UserName, CommonOptions.Shown(live.Session.AuthenticatedAt), CommonOptions.Shown(live.Session.LastSeenAt),
                    string.Join(' ', live.Session.Amr), live.Session.Address ?? "", locator.CountryOf(live.Session.Address) ?? "", live.Session.UserAgent ?? "", string.Join(' ', live.Clients),
                }));
            return ExitCodes.Done;
        });
        return list;
    }

    private static Command ListGrants(Terminal terminal)
    {
        var user = User();
        var client = Client();
        var json = CommonOptions.Json();
        var list = new Command("list", "List the grants that are alive.") { user, client, json };
        list.SetAction(async (parsed, ct) =>
        {
            await using var session = await CommandSession.OpenCurrentAsync(ct);
            var filter = await FilterAsync(session, parsed.GetValue(user), parsed.GetValue(client), ct);
            var found = new List<LiveGrant>();
            IReadOnlyList<LiveGrant> part;
            do
            {
                part = await session.Get<ILiveSessions>().ListGrantsAsync(
                    filter, found.Count == 0 ? null : found[^1].Grant.Id, PageSize, session.Now, ct);
                found.AddRange(part);
            }
            while (part.Count == PageSize);

            if (parsed.GetValue(json))
            {
                terminal.WriteJsonArray(found.Select(GrantView.Of), (writer, view) => JsonSerializer.Serialize(writer, view, AdminJson.Plain.GrantView));
                return ExitCodes.Done;
            }

            terminal.WriteTable(
                "No app has anything.",
                ["Grant", "User", "App", "Scopes", "Given", "Until", "Outlives sign-out"],
                found.Select(live => new[]
                {
                    live.Grant.Id, live.UserName, live.Grant.ClientId, string.Join(' ', live.Grant.Scopes), CommonOptions.Shown(live.Grant.GrantedAt),
                    CommonOptions.Shown(live.Grant.ExpiresAt), live.Grant.IsOffline ? "yes" : "no",
                }));
            return ExitCodes.Done;
        });
        return list;
    }

    private static Command EndSessions(Terminal terminal)
    {
        var sid = new Argument<string?>("SID") { Description = "One session, as the list shows it.", Arity = ArgumentArity.ZeroOrOne };
        var user = User("All that a person has: their user name, e-mail address or sub.");
        var client = Client("All that an app was given; people stay signed in.");
        var before = CommonOptions.Instant("--before", "Every session that was opened before then (UTC).");
        var all = new Option<bool>("--all") { Description = "Everything of everybody." };
        var more = new Common();
        var end = new Command("end", "End sessions, with everything that was given in them.") { sid, user, client, before, all };
        more.AddTo(end);
        end.Validators.Add(parsed => RequireOne(
            parsed,
            "Name one session, or say one of --user, --client, --before and --all.",
            parsed.GetValue(sid) is not null,
            parsed.GetValue(user) is not null,
            parsed.GetValue(client) is not null,
            parsed.GetResult(before) is not null,
            parsed.GetValue(all)));
        end.SetAction((parsed, ct) => more.EndAsync(
            terminal,
            parsed,
            isLarge: parsed.GetValue(all) || parsed.GetValue(client) is not null || parsed.GetValue(before) is not null,
            async (session, help, reason, ct) =>
                parsed.GetValue(sid) is { } id ? await help.EndSessionAsync(id, reason, "cli", ct)
                : parsed.GetValue(user) is { } name ? await help.EndPersonAsync(await SubjectAsync(session, name, ct), reason, "cli", ct)
                : parsed.GetValue(client) is { } app ? await help.EndClientAsync(app, reason, "cli", ct)
                : parsed.GetValue(before) is { } instant ? await help.EndBeforeAsync(instant, reason, "cli", ct)
                : await help.EndEverythingAsync(reason, "cli", ct),
            ct));
        return end;
    }

    private static Command EndGrants(Terminal terminal)
    {
        var gid = new Argument<string?>("GID") { Description = "One grant, as the list shows it.", Arity = ArgumentArity.ZeroOrOne };
        var user = User("What this person gave the app of --client, and their consent.");
        var client = Client("All that an app was given.");
        var more = new Common();
        var end = new Command("end", "End grants, with their refresh tokens, codes and access tokens.") { gid, user, client };
        more.AddTo(end);
        end.Validators.Add(parsed =>
        {
            RequireOne(parsed, "Name one grant, or say --client.", parsed.GetValue(gid) is not null, parsed.GetValue(client) is not null);
            if (parsed.GetValue(user) is not null && parsed.GetValue(client) is null)
            {
                parsed.AddError("With --user goes --client. For all that a person has: identityserver sessions end --user NAME.");
            }
        });
        end.SetAction((parsed, ct) => more.EndAsync(
            terminal,
            parsed,
            isLarge: parsed.GetValue(client) is not null && parsed.GetValue(user) is null,
            async (session, help, reason, ct) =>
                parsed.GetValue(gid) is { } id ? await help.EndGrantAsync(id, reason, "cli", ct)
                : parsed.GetValue(user) is { } name
                    ? await help.EndAppAsync(await SubjectAsync(session, name, ct), parsed.GetValue(client)!, reason, "cli", ct)
                : await help.EndClientAsync(parsed.GetValue(client)!, reason, "cli", ct),
            ct));
        return end;
    }

    private static Option<string?> User(string description = "Only of this person: their user name, e-mail address or sub.") =>
        CommonOptions.One("--user", "NAME", description);

    private static Option<string?> Client(string description = "Only where this app was given something.") =>
        CommonOptions.One("--client", "ID", description);

    private static void RequireOne(CommandResult parsed, string otherwise, params bool[] said)
    {
        if (said.Count(word => word) != 1)
        {
            parsed.AddError(otherwise);
        }
    }

    private static async ValueTask<string> SubjectAsync(CommandSession session, string name, CancellationToken ct) =>
        await session.Get<EndingHelp>().SubjectOfAsync(name, ct)
            ?? throw CommandException.Refused("There is no such person. See: identityserver users list");

    private static async ValueTask<LiveFilter> FilterAsync(CommandSession session, string? user, string? client, CancellationToken ct) => new()
    {
        Subject = user is null ? null : await SubjectAsync(session, user, ct),
        ClientId = client,
    };

    /// <summary>What every ending has: a reason, a question before large ones, and how long to wait for it to hold everywhere.</summary>
    private sealed class Common
    {
        private readonly Option<string> _reason = new("--reason") { Description = "Why; the receipt and the audit log keep it.", HelpName = "TEXT", Required = true };
        private readonly Option<bool> _yes = new("--yes") { Description = "Do it; without this, what concerns many people is only described." };

        private readonly Option<bool> _wait = new("--wait")
        {
            Description = "Wait until every node and every client has confirmed it, or a minute has gone; exit code 1 when somebody has not.",
        };

        private readonly Option<bool> _json = CommonOptions.Json();

        public void AddTo(Command command)
        {
            command.Add(_reason);
            command.Add(_yes);
            command.Add(_wait);
            command.Add(_json);
        }

        public async Task<int> EndAsync(
            Terminal terminal,
            ParseResult parsed,
            bool isLarge,
            Func<CommandSession, EndingHelp, string, CancellationToken, ValueTask<EndOutcome>> end,
            CancellationToken ct)
        {
            var reason = parsed.GetRequiredValue(_reason);
            if (PersonHelp.ReasonFault(reason) is { } fault)
            {
                throw CommandException.Refused($"The reason {fault}");
            }

            if (isLarge && !parsed.GetValue(_yes))
            {
                throw CommandException.Refused("That concerns many people. Nothing was done; with --yes it is.");
            }

            await using var session = await CommandSession.OpenCurrentAsync(ct);
            var help = session.Get<EndingHelp>();
            var outcome = await end(session, help, reason, ct);
            if (outcome is not EndOutcome.Done done)
            {
                throw CommandException.Refused(((EndOutcome.Refused)outcome).What);
            }

            var views = new List<ReceiptView>();
            var until = session.Now + Usual;
            foreach (var receipt in done.Receipts)
            {
                var view = await help.ViewAsync(receipt, ct);
                while (parsed.GetValue(_wait) && !view.Complete && session.Now < until)
                {
                    await Task.Delay(BetweenLooks, ct);
                    view = await help.ViewAsync(receipt, ct);
                }

                views.Add(view);
            }

            if (parsed.GetValue(_json))
            {
                terminal.WriteJsonArray(views, (writer, view) => JsonSerializer.Serialize(writer, view, AdminJson.Plain.ReceiptView));
            }
            else
            {
                foreach (var view in views)
                {
                    Show(terminal, view, session.Now);
                }
            }

            if (parsed.GetValue(_wait) && views.Any(view => !view.Complete))
            {
                terminal.Hint("It has ended, but not everybody has confirmed it yet. Nothing can be done with it at nodes that have.");
                return ExitCodes.Refused;
            }

            return ExitCodes.Done;
        }

        private static void Show(Terminal terminal, ReceiptView view, DateTimeOffset now)
        {
            var confirmed = view.Nodes.Count(node => node.Confirmed);
            terminal.Say($"Ended. Receipt {view.Id}");
            terminal.WriteFacts(
            [
                ("sessions", view.Sessions.ToString(CultureInfo.InvariantCulture)),
                ("grants", view.Grants.ToString(CultureInfo.InvariantCulture)),
                ("refresh families", view.RefreshFamilies.ToString(CultureInfo.InvariantCulture)),
                ("nodes", view.Nodes.Count == 0 ? "no server is running" : string.Create(CultureInfo.InvariantCulture, $"{confirmed} of {view.Nodes.Count} refuse it")),
                ("apps told", !view.Notices.Queued ? "not yet" : string.Create(
                    CultureInfo.InvariantCulture,
                    $"{view.Notices.Delivered} of {view.Notices.Delivered + view.Notices.Waiting + view.Notices.Dead}{(view.Notices.Dead > 0 ? $", {view.Notices.Dead} given up" : "")}")),
                ("still exposed", view.ExposedUntil <= now
                    ? "nothing"
                    : $"until {CommonOptions.Shown(view.ExposedUntil)}, at APIs that neither ask nor follow the revocation feed"),
            ]);
        }
    }
}
