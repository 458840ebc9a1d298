using System.Globalization;
using System.Text.Encodings.Web;
using IdentityServer.Layout;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Keys;
using IdentityServer.Resources;
using Microsoft.AspNetCore.Html;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Localization;

namespace IdentityServer.Admin;

/// <summary>The signing keys: what they were, are and will be, what depends on them, and everything an operator can do about it.</summary>
internal sealed class KeysModel(
    ConsoleAccess console,
    KeySituations situations,
    KeyRollover rollover,
    KeyReadiness readiness,
    SigningKeyRing ring,
    IStringLocalizer<Texts> texts) : ConsolePage(console)
{
    /// <summary>More are counted, not listed.</summary>
    public const int ClientsShown = 100;

    private const string DoneName = "keys.done";
    private const int LongestReason = 200;

    [BindProperty(SupportsGet = true)]
    public string? Span { get; set; }

    [BindProperty]
    public string? Do { get; set; }

    [BindProperty]
    public string? Alg { get; set; }

    [BindProperty]
    public string? From { get; set; }

    [BindProperty]
    public string? Days { get; set; }

    [BindProperty]
    public string? Cron { get; set; }

    [BindProperty]
    public string? Zone { get; set; }

    [BindProperty]
    public string? Force { get; set; }

    [BindProperty]
    public string? Kid { get; set; }

    [BindProperty]
    public string? Reason { get; set; }

    public KeySituation Situation { get; private set; } = null!;

    public KeyDrawing Drawing { get; private set; } = null!;

    public KeyWords Words { get; } = new(texts);

    public IReadOnlyList<KeyEvent> Events { get; private set; } = [];

    /// <summary>The rollovers that are announced, each with what is known of every client.</summary>
    public IReadOnlyList<(KeyActivation Pending, IReadOnlyList<ClientReadiness> Clients)> Readiness { get; private set; } = [];

    /// <summary>What came back to be put right or to be done.</summary>
    public KeyDraft? Draft { get; private set; }

    public string? Done { get; private set; }

    public DateTimeOffset Now => Situation.Now;

    public IReadOnlyList<string> Algorithms => [.. KeyFactory.Algorithms.Where(name => Situation.Rows.PlanOf(name) is not null)];

    /// <summary>The earliest safe time for a rollover announced now.</summary>
    public DateTimeOffset Earliest => ToMinute(Now + Situation.Lead.Needed);

    /// <summary>The client that makes the lead as long as it is, when one does.</summary>
    public Client? Slowest => Situation.Lead.Needed > Situation.Policy.Lead
        ? Situation.Clients.Where(client => client.DisabledAt is null).MaxBy(client => client.KeyCacheLifetime ?? TimeSpan.Zero)
        : null;

    public DrawnSpan Drawn => Span switch { "3m" => DrawnSpan.ThreeMonths, "1y" => DrawnSpan.OneYear, _ => DrawnSpan.TenDays };

    public async Task<IActionResult> OnGetAsync(CancellationToken ct)
    {
        if (await EnterAsync(AdminArea.Keys, Links.ConsoleName, ct) is { } refused)
        {
            return refused;
        }

        Draft = KeyDraft.Take(TempData);
        Done = TempData[DoneName] as string;
        Situation = await situations.ReadAsync(ct);
        Drawing = new KeyDrawing(Situation, Drawn, Words);
        Events = [.. Algorithms.SelectMany(EventsOf).OrderBy(happens => happens.At)];
        var pending = Algorithms.Select(name => Situation.TimelineOf(name).PendingAt(Now)).OfType<KeyActivation>().ToArray();
        var known = new List<(KeyActivation, IReadOnlyList<ClientReadiness>)>();
        foreach (var activation in pending)
        {
            known.Add((activation, await readiness.OfAsync(activation.Kid, ct)));
        }

        Readiness = known;
        return Page();
    }

    public async Task<IActionResult> OnPostAsync(CancellationToken ct)
    {
        if (await EnterAsync(AdminArea.Keys, Links.ConsoleName, ct) is { } refused)
        {
            return refused;
        }

        var draft = new KeyDraft
        {
            Do = Do,
            Alg = Alg,
            From = From,
            Days = Days,
            Cron = Cron,
            Zone = Zone,
            Force = Force is not null,
            Kid = Kid,
            Reason = Reason,
        };
        if (Do == "leave")
        {
            return new SeeOther(Links.Here(Request));
        }

        if (WayToProof(Links.ConsoleName) is { } toProof)
        {
            draft.Save(TempData);
            return toProof;
        }

        var outcome = await DoAsync(draft, Visit.Actor, ct);
        if (outcome is KeyOutcome.Done done)
        {
            await ring.ReloadAsync(ct);
            TempData[DoneName] = await TellAsync(done, draft, ct);
        }
        else if (outcome is KeyOutcome.Refused no)
        {
            (draft with { Fault = no.Code, Earliest = no.Earliest }).Save(TempData);
        }

        return new SeeOther(Links.Here(Request));
    }

    /// <summary>Why a form was not done, in the reader's language; <see langword="null"/> when it was another form.</summary>
    public string? FaultOf(string deed, string? algorithm = null) =>
        Draft is { Fault: { } fault } draft && draft.Do == deed && (algorithm is null || draft.Alg == algorithm) ? Explain(fault, draft) : null;

    /// <summary>What a form that waits for its sender asks for.</summary>
    public string Ask(KeyDraft draft) => draft.Do switch
    {
        "schedule" => texts["Keys_AskSchedule", draft.Alg ?? "", Shown(draft.From)],
        "move" => texts["Keys_AskMove", draft.Alg ?? "", Shown(draft.From)],
        "cancel" => texts["Keys_AskCancel", draft.Alg ?? ""],
        "undo" => texts["Keys_AskUndo", draft.Alg ?? ""],
        "activate" => texts["Keys_Release", draft.Kid ?? ""],
        "plan" => texts["Keys_AskPlan", draft.Alg ?? "", PlanOf(draft.Days, draft.Cron, draft.Zone)],
        _ => texts["Keys_AskCompromise", draft.Kid ?? ""],
    };

    /// <summary>A plan in words.</summary>
    public string PlanOf(string algorithm)
    {
        var plan = Situation.Rows.PlanOf(algorithm)!;
        return plan.Cron is null
            ? texts["Keys_PlanIsEvery", Words.Length(plan.Every ?? Situation.Policy.RotationInterval)]
            : texts["Keys_PlanIsCron", plan.Cron, plan.TimeZone];
    }

    /// <summary>What the picture shows, for whoever does not see it.</summary>
    public string Describe() => string.Join(
        ' ',
        Situation.Entries.Where(entry => entry.State != KeyState.Retired)
            .Select(entry => texts["Keys_Says", KeyWords.Short(entry.Key.Kid), entry.Key.Algorithm, Words.State(entry.State)].Value)
            .Append(texts["Keys_TimelineSame"].Value));

    /// <summary>A key's name as it stands in a sentence.</summary>
    public static IHtmlContent Code(string kid) => new HtmlString($"<code>{HtmlEncoder.Default.Encode(kid)}</code>");

    public DateTimeOffset EarliestMove(string kid) => ToMinute(Situation.Find(kid)!.Key.CreatedAt + Situation.Lead.Needed);

    /// <summary>How the tokens of a key end, as a path over a thousand by 48.</summary>
    public string DecayOf(string kid)
    {
        var uses = Situation.Uses.Where(use => use.Kid == kid).GroupBy(use => use.Until).OrderBy(group => group.Key).ToArray();
        var (alive, all) = (0L, uses.Sum(group => group.Sum(use => use.Count)));
        alive = all;
        var length = uses[^1].Key - Now;
        var path = new System.Text.StringBuilder("M0 3");
        foreach (var group in uses)
        {
            alive -= group.Sum(use => use.Count);
            path.Append(CultureInfo.InvariantCulture, $"H{(group.Key - Now) / length * 1000:0.#}V{47 - (44.0 * alive / all):0.#}");
        }

        return path.ToString();
    }

    private async ValueTask<KeyOutcome> DoAsync(KeyDraft draft, string actor, CancellationToken ct)
    {
        var algorithm = draft.Alg ?? "";
        switch (draft.Do)
        {
            case "schedule":
                return MomentField.TryRead(draft.From, out var from)
                    ? await rollover.ScheduleAsync(algorithm, from, draft.Force, actor, ct)
                    : Refuse("invalid_time");
            case "move":
                return MomentField.TryRead(draft.From, out var to)
                    ? await rollover.MoveAsync(algorithm, to, draft.Force, actor, ct)
                    : Refuse("invalid_time");
            case "cancel":
                return await rollover.CancelAsync(algorithm, actor, ct);
            case "undo":
                return await rollover.UndoAsync(algorithm, actor, ct);
            case "activate":
                return await ReleaseAsync(draft.Kid ?? "", actor, ct);
            case "plan" when !string.IsNullOrWhiteSpace(draft.Cron):
                return await rollover.PlanAsync(
                    algorithm, null, draft.Cron.Trim(), draft.Zone?.Trim() is { Length: > 0 } zone ? zone : "UTC", draft.Force, actor, ct);
            case "plan":
                return int.TryParse(draft.Days, NumberStyles.None, CultureInfo.InvariantCulture, out var days) && days <= 100_000
                    ? await rollover.PlanAsync(algorithm, TimeSpan.FromDays(days), null, "UTC", draft.Force, actor, ct)
                    : Refuse("invalid_interval");
            case "compromise" when Identifiers.DisplayFault(draft.Reason ?? "", LongestReason) is not null:
                return Refuse("invalid_reason");
            case "compromise":
                return await rollover.CompromiseAsync(draft.Kid?.Trim() ?? "", draft.Reason!.Trim(), actor, ct);
            default:
                return Refuse("unknown_deed");
        }
    }

    // Asked for by somebody who was told who has not fetched it: what is overridden is the wait, never the lead.
    private async ValueTask<KeyOutcome> ReleaseAsync(string kid, string actor, CancellationToken ct)
    {
        var situation = await situations.ReadAsync(ct);
        return situation.Find(kid) is { IsHeld: true, Key.CreatedAt: var announced } && announced + situation.Lead.Needed <= situation.Now
            ? await rollover.ActivateAsync(kid, force: true, actor, ct)
            : Refuse("not_held");
    }

    private async ValueTask<string> TellAsync(KeyOutcome.Done done, KeyDraft draft, CancellationToken ct)
    {
        var at = done.Activation is { } activation ? Words.Moment(activation.At) : "";
        if (done.Audit.Type != AuditTypes.KeyCompromised)
        {
            return done.Audit.Type switch
            {
                AuditTypes.KeyAnnounced => texts["Keys_DoneAnnounced", done.Key.Kid, at],
                AuditTypes.KeyMoved => texts["Keys_DoneMoved", done.Key.Kid, at],
                AuditTypes.KeyCancelled => texts["Keys_DoneCancelled", done.Key.Kid],
                AuditTypes.KeyUndone => texts["Keys_DoneUndone", done.Key.Kid],
                AuditTypes.KeyActivated => texts["Keys_DoneReleased", done.Key.Kid],
                _ => texts["Keys_DonePlan"],
            };
        }

        var situation = await situations.ReadAsync(ct);
        return texts["Keys_DoneCompromised", draft.Kid!.Trim(), situation.TimelineOf(done.Key.Algorithm).SigningAt(situation.Now)?.Kid ?? "–"];
    }

    private IEnumerable<KeyEvent> EventsOf(string algorithm)
    {
        var timeline = Situation.TimelineOf(algorithm);
        var pending = timeline.PendingAt(Now);
        var before = timeline.BeforeAt(Now)?.Kid;
        if (pending is not null)
        {
            yield return new(pending.At, pending.EffectiveAt is null ? KeyEventKind.Waits : KeyEventKind.Signs, algorithm, pending.Kid);
        }

        foreach (var entry in Situation.Entries.Where(entry => entry.Key.Algorithm == algorithm && entry.RetiresAt > Now))
        {
            yield return new(
                entry.RetiresAt!.Value, entry.Key.Kid == before ? KeyEventKind.Retires : KeyEventKind.Follows, algorithm, entry.Key.Kid);
        }

        if (pending is null && Situation.NextPlanned(algorithm) is { } planned)
        {
            yield return new(planned.AnnouncedAt, KeyEventKind.Planned, algorithm, "") { Then = planned.At };
        }
    }

    private string Explain(string fault, KeyDraft draft) => fault switch
    {
        "too_early" => texts["Keys_FaultTooEarly", Words.Moment(draft.Earliest is { } earliest ? ToMinute(earliest) : Earliest)],
        "past" => texts["Keys_FaultPast"],
        "too_far" => texts["Keys_FaultTooFar"],
        "invalid_time" => texts["Keys_FaultTime"],
        "already_scheduled" => texts["Keys_FaultScheduled", draft.Alg ?? ""],
        "nothing_scheduled" => texts["Keys_FaultNothing", draft.Alg ?? ""],
        "too_late" => texts["Keys_FaultTooLate"],
        "nothing_to_undo" => texts["Keys_FaultUndo", draft.Alg ?? ""],
        "too_often" => texts["Keys_FaultOften", Words.Length(Situation.Lead.Needed)],
        "invalid_cron" => texts["Keys_FaultCron"],
        "invalid_interval" => texts["Keys_FaultInterval"],
        "unknown_key" => texts["Keys_FaultKid"],
        "invalid_reason" => texts["Keys_FaultReason"],
        "already_revoked" => texts["Keys_FaultRevoked"],
        _ => texts["Keys_FaultBusy"],
    };

    private string Shown(string? from) => MomentField.TryRead(from, out var at) ? Words.Moment(at) : "–";

    private string PlanOf(string? days, string? cron, string? zone) => string.IsNullOrWhiteSpace(cron)
        ? texts["Keys_PlanIsEvery", texts["Keys_Days", days ?? ""]]
        : texts["Keys_PlanIsCron", cron, string.IsNullOrWhiteSpace(zone) ? "UTC" : zone];

    private static DateTimeOffset ToMinute(DateTimeOffset at) =>
        at.Ticks % TimeSpan.TicksPerMinute == 0 ? at : at.AddTicks(TimeSpan.TicksPerMinute - (at.Ticks % TimeSpan.TicksPerMinute));

    private static KeyOutcome.Refused Refuse(string code) => new(code, code, null);
}

/// <summary>What kind of thing will happen to a key.</summary>
internal enum KeyEventKind
{
    /// <summary>It starts to sign.</summary>
    Signs,

    /// <summary>It would start to sign, and waits for clients.</summary>
    Waits,

    /// <summary>It leaves the key set; until then one can go back to it.</summary>
    Retires,

    /// <summary>It leaves the key set after a rollover that is still to come.</summary>
    Follows,

    /// <summary>The plan announces a key.</summary>
    Planned,
}

/// <summary>Something that will happen.</summary>
internal sealed record KeyEvent(DateTimeOffset At, KeyEventKind Kind, string Algorithm, string Kid)
{
    /// <summary>When the announced key signs.</summary>
    public DateTimeOffset? Then { get; init; }
}
