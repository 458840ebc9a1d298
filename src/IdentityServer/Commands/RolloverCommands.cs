using System.CommandLine;
using System.Globalization;
using IdentityServer.Keys;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Keys;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Storage.Jobs;

namespace IdentityServer.Commands;

/// <summary><c>keys show|schedule|move|cancel|activate|undo|compromise|preflight</c></summary>
internal sealed class RolloverCommands(Terminal terminal)
{
    private const string Actor = "cli";
    private const int ShownRuns = 50;

    /// <summary>The commands, to stand under <c>keys</c>.</summary>
    public IEnumerable<Command> All() =>
        [Show(), Schedule(), Move(), Cancel(), Activate(), Undo(), Compromise(), Preflight()];

    private static Argument<string> Algorithm() => new("ALG") { Description = $"One of {string.Join(", ", KeyFactory.Algorithms)}." };

    private static Argument<string> Kid() => new("KID") { Description = "The name of a key, as keys list shows it." };

    private static Option<bool> Force() => new("--force") { Description = "Do it although clients may fail. The audit log says so." };

    private Command Show()
    {
        var (kid, json) = (Kid(), CommonOptions.Json());
        var show = new Command("show", "Show one key: its life, its public half, and what depends on it.") { kid, json };
        show.SetAction((parsed, ct) => ShowAsync(parsed.GetRequiredValue(kid), parsed.GetValue(json), ct));
        return show;
    }

    private Command Schedule()
    {
        var algorithm = new Argument<string?>("ALG")
        {
            Description = $"One of {string.Join(", ", KeyFactory.Algorithms)}. Without it the plans are listed.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var at = CommonOptions.Instant("--at", "One rollover: a new key is announced now and signs from then. 2026-12-01T09:00:00Z, or +26h.");
        var every = CommonOptions.Duration("--every", "From now on a rollover each so often: 30d.");
        var cron = CommonOptions.One("--cron", "EXPR", "From now on at these times: five fields as in a crontab, or Quartz's six or seven.");
        var zone = new Option<string>("--time-zone") { Description = "Of the cron expression; an IANA name.", HelpName = "NAME", DefaultValueFactory = _ => "UTC" };
        var force = Force();
        var history = new Option<bool>("--history") { Description = "What the jobs of the server did of late." };
        var json = CommonOptions.Json();
        var schedule = new Command("schedule", "Plan rollovers, or list what is planned.") { algorithm, at, every, cron, zone, force, history, json };
        schedule.SetAction((parsed, ct) =>
        {
            var given = new object?[] { parsed.GetValue(at), parsed.GetValue(every), parsed.GetValue(cron) }.Count(value => value is not null);
            var alg = parsed.GetValue(algorithm);
            return (alg, given) switch
            {
                (null, 0) when parsed.GetValue(history) => ListHistoryAsync(parsed.GetValue(json), ct),
                (null, 0) => ListPlansAsync(parsed.GetValue(json), ct),
                (null, _) => throw CommandException.Usage("Name the algorithm: identityserver keys schedule ALG …"),
                (_, 1) => ScheduleAsync(
                    alg, parsed.GetValue(at), parsed.GetValue(every), parsed.GetValue(cron), parsed.GetRequiredValue(zone), parsed.GetValue(force), ct),
                _ => throw CommandException.Usage("Say when, in one way: --at INSTANT, --every DURATION or --cron EXPR."),
            };
        });
        return schedule;
    }

    private Command Move()
    {
        var algorithm = Algorithm();
        var at = CommonOptions.Instant("--at", "When the announced key shall sign instead. 2026-12-01T09:00:00Z, or +26h.");
        at.Required = true;
        var force = Force();
        var move = new Command("move", "Move the announced rollover to another time.") { algorithm, at, force };
        move.SetAction((parsed, ct) => RunAsync(
            rollover => rollover.MoveAsync(Named(parsed.GetRequiredValue(algorithm)), parsed.GetValue(at)!.Value, parsed.GetValue(force), Actor, ct),
            done => $"{done.Key.Kid} signs from {Spans.Text(done.Activation!.At)}.",
            ct));
        return move;
    }

    private Command Cancel()
    {
        var algorithm = Algorithm();
        var cancel = new Command("cancel", "Take the announced key back. The plan goes on with the rollover after it.") { algorithm };
        cancel.SetAction((parsed, ct) => RunAsync(
            rollover => rollover.CancelAsync(Named(parsed.GetRequiredValue(algorithm)), Actor, ct),
            done => $"{done.Key.Kid} is taken back; it never signed.",
            ct));
        return cancel;
    }

    private Command Activate()
    {
        var kid = Kid();
        var force = Force();
        var activate = new Command("activate", "Let a published key sign now.") { kid, force };
        activate.SetAction((parsed, ct) => RunAsync(
            rollover => rollover.ActivateAsync(parsed.GetRequiredValue(kid), parsed.GetValue(force), Actor, ct), done => $"{done.Key.Kid} signs now.", ct));
        return activate;
    }

    private Command Undo()
    {
        var algorithm = Algorithm();
        var undo = new Command("undo", "Back to the key that signed before, while it is still published.") { algorithm };
        undo.SetAction((parsed, ct) => RunAsync(
            rollover => rollover.UndoAsync(Named(parsed.GetRequiredValue(algorithm)), Actor, ct),
            done => $"{done.Key.Kid} signs again. The key it follows stays published, so what that signed is still accepted.",
            ct));
        return undo;
    }

    private Command Compromise()
    {
        var kid = Kid();
        var reason = new Option<string>("--reason") { Description = "What happened; for the audit log.", HelpName = "TEXT", Required = true };
        var yes = new Option<bool>("--yes") { Description = "Do it. Without it you only see what would die." };
        var sessions = new Option<bool>("--end-sessions") { Description = "End every session and every grant too: everybody signs in again." };
        var compromise = new Command("compromise", "A key may be stolen: end everything it signed, at once.") { kid, reason, yes, sessions };
        compromise.SetAction((parsed, ct) => CompromiseAsync(
            parsed.GetRequiredValue(kid), parsed.GetRequiredValue(reason), parsed.GetValue(yes), parsed.GetValue(sessions), ct));
        return compromise;
    }

    private Command Preflight()
    {
        var algorithm = new Argument<string?>("ALG")
        {
            Description = "Only this algorithm. Default: every one that has a rollover announced.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var json = CommonOptions.Json();
        var preflight = new Command("preflight", "Who has fetched the announced keys, and who has not.") { algorithm, json };
        preflight.SetAction((parsed, ct) => PreflightAsync(parsed.GetValue(algorithm), parsed.GetValue(json), ct));
        return preflight;
    }

    private async Task<int> ShowAsync(string kid, bool json, CancellationToken ct)
    {
        await using var session = await CommandSession.OpenCurrentAsync(ct);
        var now = session.Now;
        var entry = KeyEntry.List(await session.Get<IKeyStore>().LoadAsync(ct), session.Settings.Keys.ToPolicy(), now)
            .FirstOrDefault(entry => entry.Key.Kid == kid) ?? throw NoSuchKey(kid);
        var depends = BlastRadius.Of(kid, await session.Get<IKeyUseStore>().ListAsync(now, ct));
        if (json)
        {
            terminal.WriteJson(writer => KeyCommands.Write(writer, entry, () =>
            {
                writer.WriteBoolean("held", entry.IsHeld);
                CommonOptions.WriteInstant(writer, "revokedAt", entry.Key.RevokedAt);
                writer.WriteString("revokedBecause", entry.Key.RevokedBecause);
                writer.WriteNumber("tokensAlive", depends.Tokens);
                CommonOptions.WriteInstant(writer, "lastTokenEnds", depends.LastEnd);
                writer.WritePropertyName("jwk");
                writer.WriteRawValue(entry.Key.PublicJwk);
            }));
            return ExitCodes.Done;
        }

        terminal.Say(entry.Key.Kid);
        terminal.WriteFacts(
        [
            ("algorithm", entry.Key.Algorithm),
            ("state", KeyCommands.Word(entry)),
            ("created", CommonOptions.Shown(entry.Key.CreatedAt)),
            ("active from", CommonOptions.Shown(entry.ActiveFrom)),
            ("retires", CommonOptions.Shown(entry.RetiresAt)),
            ("revoked", entry.Key.RevokedAt is { } at ? $"{CommonOptions.Shown(at)}: {entry.Key.RevokedBecause}" : null),
            ("erased", CommonOptions.Shown(entry.Key.ErasedAt)),
            ("master key", entry.Key.MasterKeyId),
            ("tokens alive", Shown(depends)),
            ("public key", entry.Key.PublicJwk),
        ]);
        return ExitCodes.Done;
    }

    private async Task<int> ListPlansAsync(bool json, CancellationToken ct)
    {
        await using var session = await CommandSession.OpenCurrentAsync(ct);
        var (now, policy, calendar) = (session.Now, session.Settings.Keys.ToPolicy(), session.Get<ICronCalendar>());
        var rows = await session.Get<IKeyStore>().LoadAsync(ct);
        var lead = policy.LeadFor(await session.Get<IClientStore>().ListAsync(ct));
        var plans = rows.Plans.OrderBy(plan => plan.Algorithm, StringComparer.Ordinal).Select(plan =>
        {
            var timeline = rows.TimelineOf(plan.Algorithm, policy);
            var pending = timeline.PendingAt(now);
            var last = pending ?? timeline.CurrentAt(now);
            return (Plan: plan, Pending: pending, Next: last is null ? null : plan.After(last, policy, lead, calendar, now)?.At);
        }).ToArray();
        if (json)
        {
            terminal.WriteJsonArray(plans, (writer, entry) =>
            {
                writer.WriteStartObject();
                writer.WriteString("alg", entry.Plan.Algorithm);
                writer.WriteNumber("everySeconds", (entry.Plan.Cron is null ? entry.Plan.Every ?? policy.RotationInterval : TimeSpan.Zero).TotalSeconds);
                writer.WriteString("cron", entry.Plan.Cron);
                writer.WriteString("timeZone", entry.Plan.TimeZone);
                writer.WriteString("announced", entry.Pending?.Kid);
                CommonOptions.WriteInstant(writer, "announcedFor", entry.Pending?.At);
                writer.WriteBoolean("held", entry.Pending is { EffectiveAt: null });
                CommonOptions.WriteInstant(writer, "next", entry.Next);
                writer.WriteEndObject();
            });
            return ExitCodes.Done;
        }

        terminal.WriteTable(
            "There are no keys yet; the server makes the first ones when it starts.",
            ["Algorithm", "Plan", "Announced", "Signs from", "The next after that"],
            plans.Select(entry => new[]
            {
                entry.Plan.Algorithm, Words(entry.Plan, policy), entry.Pending?.Kid ?? "–",
                entry.Pending is null ? "–" : CommonOptions.Shown(entry.Pending.At) + (entry.Pending.EffectiveAt is null ? ", held" : ""),
                CommonOptions.Shown(entry.Next),
            }));
        return ExitCodes.Done;
    }

    private async Task<int> ListHistoryAsync(bool json, CancellationToken ct)
    {
        await using var session = await CommandSession.OpenCurrentAsync(ct);
        var runs = await session.Get<IJobHistory>().LatestAsync(job: null, ShownRuns, ct);
        if (json)
        {
            terminal.WriteJsonArray(runs, (writer, run) =>
            {
                writer.WriteStartObject();
                writer.WriteString("job", run.Job);
                writer.WriteString("node", run.Node);
                CommonOptions.WriteInstant(writer, "startedAt", run.StartedAt);
                CommonOptions.WriteInstant(writer, "endedAt", run.EndedAt);
                writer.WriteString("outcome", Word(run.Outcome));
                writer.WriteString("detail", run.Detail);
                writer.WriteEndObject();
            });
            return ExitCodes.Done;
        }

        terminal.WriteTable(
            "No job has run yet; a server runs the first a few seconds after its start.",
            ["Started", "Job", "Node", "Outcome", "Detail"],
            runs.Select(run => new[] { CommonOptions.Shown(run.StartedAt), run.Job, run.Node, Word(run.Outcome), run.Detail ?? "–" }));
        return ExitCodes.Done;
    }

    private Task<int> ScheduleAsync(
        string algorithm, DateTimeOffset? at, TimeSpan? every, string? cron, string timeZone, bool force, CancellationToken ct) => at is { } instant
        ? RunAsync(
            rollover => rollover.ScheduleAsync(Named(algorithm), instant, force, Actor, ct),
            done => $"{done.Key.Kid} is announced and signs from {Spans.Text(done.Activation!.At)}"
                + (done.Activation.EffectiveAt is null ? ", if every client that asked to be waited for has it by then: keys preflight." : "."),
            ct)
        : RunAsync(
            rollover => rollover.PlanAsync(Named(algorithm), every, cron, timeZone, force, Actor, ct),
            done => $"{done.Audit.Detail}. What is announced already stays as it is.",
            ct);

    private async Task<int> CompromiseAsync(string kid, string reason, bool yes, bool endSessions, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(reason))
        {
            throw CommandException.Usage("Say what happened: --reason TEXT");
        }

        await using var session = await OpenWithMasterKeyAsync(ct);
        var now = session.Now;
        var rows = await session.Get<IKeyStore>().LoadAsync(ct);
        var key = rows.Find(kid) ?? throw NoSuchKey(kid);
        var timeline = rows.TimelineOf(key.Algorithm, session.Settings.Keys.ToPolicy());
        var depends = BlastRadius.Of(kid, await session.Get<IKeyUseStore>().ListAsync(now, ct));

        terminal.Say($"{kid} ({key.Algorithm}, {timeline.StateOf(key, now).ToString().ToLowerInvariant()})");
        terminal.WriteFacts(
        [
            ("dies", Shown(depends)),
            .. depends.ByClient.Take(10).Select(entry => (entry.ClientId, (string?)Count(entry.Tokens))),
            ("takes over", Takeover.From(key, timeline, now) switch
            {
                { Kind: TakeoverKind.Unchanged } => "nothing changes: it does not sign",
                { Kid: { } announced } => $"{announced}, announced {CommonOptions.Shown(rows.Find(announced)!.CreatedAt)}",
                _ => "a new key; clients fail until they have fetched it",
            }),
            ("exposed until", depends.LastEnd is { } end ? $"{CommonOptions.Shown(end)}, at APIs that check signatures with a key set they keep" : null),
            ("sessions", endSessions ? "all end" : "go on; apps get new tokens with their refresh tokens"),
        ]);
        if (!yes)
        {
            throw CommandException.Refused("Nothing was done. With --yes it is.");
        }

        var outcome = await session.Get<KeyRollover>().CompromiseAsync(kid, reason, Actor, ct);

        // Also for a key that was taken back before: whoever was interrupted between the two types it again.
        if (!endSessions || outcome is not KeyOutcome.Refused { Code: "already_revoked" })
        {
            Report(outcome, done => done.Activation is null ? $"{kid} is taken back." : $"{kid} is taken back; {done.Key.Kid} signs now.");
        }

        if (endSessions)
        {
            var receipt = await session.Get<Revoker>().EndEverythingAsync(new Cause("key_compromised", Actor, Address: null) { Note = reason }, ct);
            var ended = await session.Get<IReceiptStore>().CountAsync(receipt, ct);
            terminal.Say($"{ended.Sessions.ToString(CultureInfo.InvariantCulture)} sessions ended, with every grant under them.");
        }

        return ExitCodes.Done;
    }

    private async Task<int> PreflightAsync(string? algorithm, bool json, CancellationToken ct)
    {
        await using var session = await CommandSession.OpenCurrentAsync(ct);
        var now = session.Now;
        var rows = await session.Get<IKeyStore>().LoadAsync(ct);
        if (algorithm is not null && rows.PlanOf(Named(algorithm)) is null)
        {
            throw CommandException.Refused($"There is no algorithm {Identifiers.Shown(algorithm)}; use {string.Join(", ", KeyFactory.Algorithms)}.");
        }

        var readiness = new KeyReadiness(session.Get<IKeyFetchStore>(), session.Get<IClientStore>());
        var entries = new List<(KeyActivation Pending, ClientReadiness Client)>();
        foreach (var plan in rows.Plans.Where(plan => algorithm is null || plan.Algorithm == Named(algorithm)))
        {
            if (rows.TimelineOf(plan.Algorithm, session.Settings.Keys.ToPolicy()).PendingAt(now) is { } pending)
            {
                entries.AddRange((await readiness.OfAsync(pending.Kid, ct)).Select(client => (pending, client)));
            }
        }

        if (json)
        {
            terminal.WriteJsonArray(entries, (writer, entry) =>
            {
                writer.WriteStartObject();
                writer.WriteString("alg", entry.Pending.Algorithm);
                writer.WriteString("kid", entry.Pending.Kid);
                CommonOptions.WriteInstant(writer, "activeFrom", entry.Pending.At);
                writer.WriteString("client_id", entry.Client.Client.Id);
                writer.WriteString("state", Word(entry.Client.State));
                CommonOptions.WriteInstant(writer, "fetchedAt", entry.Client.FetchedAt);
                CommonOptions.WriteInstant(writer, "lastFetchAt", entry.Client.LastFetchAt);
                writer.WriteBoolean("holdsBack", entry.Client.HoldsBack);
                writer.WriteString("evidence", Evidence(entry.Client));
                writer.WriteEndObject();
            });
            return ExitCodes.Done;
        }

        terminal.WriteTable(
            "No rollover is announced, so there is nothing to be ready for.",
            ["Algorithm", "Key", "Signs from", "Client", "Has it", "Holds back", "Evidence"],
            entries.Select(entry => new[]
            {
                entry.Pending.Algorithm, entry.Pending.Kid, CommonOptions.Shown(entry.Pending.At), entry.Client.Client.Id,
                Word(entry.Client.State), entry.Client.HoldsBack ? "yes" : "no", Evidence(entry.Client),
            }));
        return ExitCodes.Done;
    }

    private async Task<int> RunAsync(
        Func<KeyRollover, Task<KeyOutcome>> deed, Func<KeyOutcome.Done, string> say, CancellationToken ct)
    {
        await using var session = await OpenWithMasterKeyAsync(ct);
        return Report(await deed(session.Get<KeyRollover>()), say);
    }

    private int Report(KeyOutcome outcome, Func<KeyOutcome.Done, string> say)
    {
        if (outcome is KeyOutcome.Refused refused)
        {
            throw CommandException.Refused(refused.Message);
        }

        terminal.Say(say((KeyOutcome.Done)outcome));
        return ExitCodes.Done;
    }

    // A new key has to be sealed.
    private static async Task<CommandSession> OpenWithMasterKeyAsync(CancellationToken ct)
    {
        var session = await CommandSession.OpenCurrentAsync(ct);
        try
        {
            await session.Get<MasterKeyLoader>().LoadAsync(ct);
            return session;
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    private static string Words(KeyPlan plan, KeyPolicy policy) =>
        (plan.Cron is { } cron ? $"{cron} ({plan.TimeZone})" : $"every {Spans.Text(plan.Every ?? policy.RotationInterval)}")
        + (plan.IsForced ? ", forced" : "");

    private static string Word(Readiness state) => state switch
    {
        Readiness.HasIt => "has it",
        Readiness.NotYet => "not yet",
        _ => "unknown",
    };

    private static string Word(JobOutcome outcome) => outcome.ToString().ToLowerInvariant();

    private static string Evidence(ClientReadiness client) => client.State switch
    {
        Readiness.HasIt => $"fetched the key at its own address {CommonOptions.Shown(client.FetchedAt)}",
        Readiness.NotYet => $"last fetched {CommonOptions.Shown(client.LastFetchAt)}, before the key was announced",
        _ => "never seen at its own address",
    };

    private static string Shown(BlastRadius depends) => depends.LastEnd is { } end
        ? $"{Count(depends.Tokens)} of {Count(depends.ByClient.Count)} clients, the last until {CommonOptions.Shown(end)}"
        : "none that we know of";

    private static string Count(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Named(string algorithm) => algorithm.ToUpperInvariant();

    private static CommandException NoSuchKey(string kid) =>
        CommandException.Refused($"There is no key {Identifiers.Shown(kid)}. List them with: identityserver keys list");
}
