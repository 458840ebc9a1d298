using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Revocations;

namespace IdentityServer.Protocol.Keys;

/// <summary>
/// Everything that changes what will be signed when: by an operator's word, or because the time has come. Each deed is decided on what is
/// stored and committed only if that is still so; what is not safe is refused with the reason and the earliest safe time [K3].
/// </summary>
public sealed class KeyRollover(
    IKeyStore store,
    KeyFactory factory,
    KeyPolicy policy,
    KeyReadiness readiness,
    IClientStore clients,
    Revoker revoker,
    ICronCalendar calendar,
    TimeProvider clock)
{
    private const int Attempts = 5;
    private static readonly TimeSpan Farthest = TimeSpan.FromDays(730);

    /// <summary>Announces a key now that signs from <paramref name="at"/>.</summary>
    /// <param name="algorithm">One of <see cref="KeyFactory.Algorithms"/>.</param>
    /// <param name="at">In the future, and no sooner than the lead time allows unless forced.</param>
    /// <param name="force">Do it although it is not safe; audited.</param>
    /// <param name="actor">As <see cref="AuditEvent.Actor"/>.</param>
    /// <param name="ct">Stops before the commit.</param>
    public Task<KeyOutcome> ScheduleAsync(string algorithm, DateTimeOffset at, bool force, string actor, CancellationToken ct) =>
        DecideAsync(algorithm, async (rows, plan, timeline, now) =>
        {
            if (timeline.PendingAt(now) is { } pending)
            {
                return Refuse("already_scheduled", $"{pending.Kid} is announced already, to sign from {Spans.Text(pending.At)}. Move or cancel that rollover.");
            }

            var all = await clients.ListAsync(ct);
            return Unsafe(now, now, at, force, all) ?? Announce(plan, timeline, now, at, all, actor, force);
        }, ct);

    /// <summary>Moves the announced rollover to another time.</summary>
    /// <inheritdoc cref="ScheduleAsync"/>
    public Task<KeyOutcome> MoveAsync(string algorithm, DateTimeOffset at, bool force, string actor, CancellationToken ct) =>
        DecideAsync(algorithm, async (rows, plan, timeline, now) =>
        {
            if (NothingPending(algorithm, timeline, now, out var pending) is { } nothing)
            {
                return nothing;
            }

            var key = rows.Find(pending.Kid)!;
            if (Unsafe(now, key.CreatedAt, at, force, await clients.ListAsync(ct)) is { } refused)
            {
                return refused;
            }

            var moved = force ? Forced(pending, now) with { At = at } : pending with { At = at };
            return new Decision(
                new KeyChange { Plan = plan, ChangedActivation = moved },
                Event(AuditTypes.KeyMoved, now, actor, force, $"{key.Kid} from {Spans.Text(pending.At)} to {Spans.Text(at)}"),
                key,
                moved);
        }, ct);

    /// <summary>Takes the announced key back; the plan goes on with the rollover after it.</summary>
    public Task<KeyOutcome> CancelAsync(string algorithm, string actor, CancellationToken ct) =>
        DecideAsync(algorithm, async (rows, plan, timeline, now) =>
        {
            if (NothingPending(algorithm, timeline, now, out var pending) is { } nothing)
            {
                return nothing;
            }

            var key = rows.Find(pending.Kid)!;
            return new Decision(
                new KeyChange
                {
                    Plan = plan with { SkippedThrough = pending.At },
                    RemovedActivation = pending.Id,
                    ChangedKey = Revoked(key, now, "cancelled"),
                    Ended = revoker.EndingOfKey(key.Kid, policy.KeptFor(await clients.ListAsync(ct)), new Cause("key_cancelled", actor, Address: null)),
                },
                Event(AuditTypes.KeyCancelled, now, actor, forced: false, $"{key.Kid} of {Spans.Text(pending.At)}"),
                key,
                null);
        }, ct);

    /// <summary>Lets a published key sign now: an announced one before its time, or one that signed before.</summary>
    public async Task<KeyOutcome> ActivateAsync(string kid, bool force, string actor, CancellationToken ct)
    {
        if ((await store.LoadAsync(ct)).Find(kid) is not { } known)
        {
            return UnknownKey(kid);
        }

        return await DecideAsync(known.Algorithm, async (rows, plan, timeline, now) =>
        {
            var key = rows.Find(kid)!;
            switch (timeline.StateOf(key, now))
            {
                case KeyState.Active:
                    return Refuse("already_active", $"{kid} is the key that signs.");
                case KeyState.Retired:
                    return Refuse("retired", $"{kid} is no longer published: nobody would accept what it signs.");
                case KeyState.Retiring:
                    return Return(plan, timeline, key, now, Event(AuditTypes.KeyActivated, now, actor, forced: false, kid));
            }

            var pending = timeline.PendingAt(now)!;
            var lead = policy.LeadFor(await clients.ListAsync(ct));
            if (!force && key.CreatedAt + lead.Needed > now)
            {
                return Refuse(
                    "too_early",
                    $"{kid} was announced {Spans.Text(key.CreatedAt)}, and {lead.Reason}. "
                    + $"Earliest: {Spans.Text(key.CreatedAt + lead.Needed)}. --force does it anyway, and is audited.",
                    key.CreatedAt + lead.Needed);
            }

            if (!force && await readiness.WaitingForAsync(kid, ct) is { Count: > 0 } waiting)
            {
                return Refuse("not_ready", $"{kid} waits for {string.Join(", ", waiting)}. --force does it anyway, and is audited.");
            }

            var activated = pending with { At = now, AwaitsReadiness = false };
            return new Decision(
                new KeyChange { Plan = plan, ChangedActivation = activated },
                Event(AuditTypes.KeyActivated, now, actor, force, kid),
                key,
                activated);
        }, ct);
    }

    /// <summary>Back to the key that signed before, while it is still published [K6].</summary>
    public Task<KeyOutcome> UndoAsync(string algorithm, string actor, CancellationToken ct) =>
        DecideAsync(algorithm, (_, plan, timeline, now) =>
        {
            if (timeline.BeforeAt(now) is not { ErasedAt: null } before)
            {
                var next = timeline.PendingAt(now) is { } pending ? $" {pending.Kid} has not begun to sign: cancel that rollover instead." : "";
                return new(Refuse("nothing_to_undo", $"There is no earlier {algorithm} key that is still published.{next}"));
            }

            var undone = timeline.SigningAt(now)!.Kid;
            return new(Return(plan, timeline, before, now, Event(AuditTypes.KeyUndone, now, actor, forced: false, $"from {undone} to {before.Kid}")));
        }, ct);

    /// <summary>
    /// A key may be in the wrong hands [K7]: it leaves the JWKS, everything it signed is dead, and if it signs, its announced successor or
    /// a new key takes over at once.
    /// </summary>
    /// <param name="kid">The key.</param>
    /// <param name="reason">For the audit log; what the operator knows.</param>
    /// <param name="actor">As <see cref="AuditEvent.Actor"/>.</param>
    /// <param name="ct">Stops before the commit.</param>
    public async Task<KeyOutcome> CompromiseAsync(string kid, string reason, string actor, CancellationToken ct)
    {
        if ((await store.LoadAsync(ct)).Find(kid) is not { } known)
        {
            return UnknownKey(kid);
        }

        return await DecideAsync(known.Algorithm, async (rows, plan, timeline, now) =>
        {
            var key = rows.Find(kid)!;
            if (key.RevokedAt is { } revoked)
            {
                return Refuse("already_revoked", $"{kid} was taken back {Spans.Text(revoked)} ({key.RevokedBecause}).");
            }

            var audit = Event(AuditTypes.KeyCompromised, now, actor, forced: false, $"{kid}: {reason}");
            var change = new KeyChange
            {
                Plan = plan,
                ChangedKey = Revoked(key, now, reason),
                Ended = revoker.EndingOfKey(
                    kid, policy.KeptFor(await clients.ListAsync(ct)), new Cause("key_compromised", actor, Address: null) { Note = reason }),
            };
            var pending = timeline.PendingAt(now);
            if (pending?.Kid == kid)
            {
                return new Decision(change with { RemovedActivation = pending.Id }, audit, key, null);
            }

            if (timeline.SigningAt(now)?.Kid != kid)
            {
                return new Decision(change, audit, key, null);
            }

            // An announced key is known to many clients already; a new one to none.
            if (pending is not null)
            {
                var next = pending with { At = now, AwaitsReadiness = false };
                return new Decision(change with { ChangedActivation = next }, audit, rows.Find(next.Kid)!, next);
            }

            var made = factory.Create(key.Algorithm);
            var activation = Following(timeline.CurrentAt(now)!, made.Kid, now);
            return new Decision(change with { AddedKey = made, AddedActivation = activation }, audit, made, activation);
        }, ct);
    }

    /// <summary>Changes when the keys of an algorithm roll over: an interval, or a cron expression in a time zone.</summary>
    public Task<KeyOutcome> PlanAsync(
        string algorithm, TimeSpan? every, string? cron, string timeZone, bool force, string actor, CancellationToken ct) =>
        DecideAsync(algorithm, async (_, plan, timeline, now) =>
        {
            if (cron is not null && !calendar.TryParse(cron, timeZone, out var problem))
            {
                return Refuse("invalid_cron", problem);
            }

            var lead = policy.LeadFor(await clients.ListAsync(ct));
            var (gap, words) = every is { } interval ? (interval, $"An interval of {Spans.Text(interval)}") : ShortestGap(cron!, timeZone, now);
            if (gap is null)
            {
                return Refuse("invalid_cron", $"“{cron}” never comes.");
            }

            if (gap <= TimeSpan.Zero || gap > Farthest)
            {
                return Refuse("invalid_interval", $"{words} is of no use: at most {Spans.Text(Farthest)}.");
            }

            if (gap < lead.Needed && !force)
            {
                return Refuse("too_often", $"{words} is too short: {lead.Reason}. --force does it anyway, and is audited.");
            }

            var planned = plan with { Every = every, Cron = cron, TimeZone = timeZone, IsForced = force && gap < lead.Needed };
            return new Decision(
                new KeyChange { Plan = planned },
                Event(AuditTypes.KeyPlanChanged, now, actor, force, $"{algorithm} {(cron is null ? $"every {Spans.Text(gap.Value)}" : $"at {cron} {timeZone}")}"),
                timeline.SigningAt(now)!,
                null);
        }, ct);

    /// <summary>What the clock asks for; the job calls it every minute. Late, doubled or on two nodes at once, it is harmless.</summary>
    /// <returns>What was done, a line each.</returns>
    public async Task<IReadOnlyList<string>> RunAsync(CancellationToken ct)
    {
        var done = new List<string>();
        foreach (var algorithm in KeyFactory.Algorithms)
        {
            foreach (var step in (Decide[])[ReleaseOrHold, AnnounceIfDue, EraseIfOver])
            {
                if (await DecideAsync(algorithm, step, ct) is KeyOutcome.Done { Audit: { } audit })
                {
                    done.Add($"{audit.Type} {audit.Detail}");
                }
            }
        }

        return done;

        async ValueTask<Step> ReleaseOrHold(KeyRows rows, KeyPlan plan, KeyTimeline timeline, DateTimeOffset now)
        {
            if (timeline.PendingAt(now) is not { } pending)
            {
                return Step.Nothing;
            }

            var waiting = await readiness.WaitingForAsync(pending.Kid, ct);
            var key = rows.Find(pending.Kid)!;
            if (pending is { AwaitsReadiness: true, ReleasedAt: null } && waiting.Count == 0)
            {
                var released = pending with { ReleasedAt = now };
                return new Decision(
                    new KeyChange { Plan = plan, ChangedActivation = released }, Event(AuditTypes.KeyReleased, now, System, false, key.Kid), key, released);
            }

            if (!pending.AwaitsReadiness && waiting.Count > 0 && pending.At - now > KeyPolicy.Settling)
            {
                var held = pending with { AwaitsReadiness = true };
                return new Decision(
                    new KeyChange { Plan = plan, ChangedActivation = held },
                    Event(AuditTypes.KeyHeld, now, System, false, $"{key.Kid} for {string.Join(", ", waiting)}"),
                    key,
                    held);
            }

            return Step.Nothing;
        }

        async ValueTask<Step> AnnounceIfDue(KeyRows rows, KeyPlan plan, KeyTimeline timeline, DateTimeOffset now)
        {
            if (timeline.PendingAt(now) is not null || timeline.CurrentAt(now) is not { } current || now < current.EffectiveAt)
            {
                return Step.Nothing;
            }

            var all = await clients.ListAsync(ct);
            return plan.After(current, policy, policy.LeadFor(all), calendar, now) is { } planned && planned.AnnouncedAt <= now
                ? Announce(plan, timeline, now, planned.At, all, System, plan.IsForced)
                : Step.Nothing;
        }

        ValueTask<Step> EraseIfOver(KeyRows rows, KeyPlan plan, KeyTimeline timeline, DateTimeOffset now) =>
            new(rows.Keys.FirstOrDefault(key => key.Algorithm == plan.Algorithm && timeline.MayErase(key, now)) is { } over
                ? new Decision(
                    new KeyChange { Plan = plan, ChangedKey = over with { SealedPrivateKey = null, ErasedAt = now } },
                    Event(AuditTypes.KeyErased, now, System, false, over.Kid),
                    over,
                    null)
                : Step.Nothing);
    }

    private const string System = "system";

    private delegate ValueTask<Step> Decide(KeyRows rows, KeyPlan plan, KeyTimeline timeline, DateTimeOffset now);

    // Who lost a race decides again on what the winner left.
    private async Task<KeyOutcome> DecideAsync(string algorithm, Decide decide, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            var rows = await store.LoadAsync(ct);
            if (rows.PlanOf(algorithm) is not { } plan)
            {
                return KeyFactory.Algorithms.Contains(algorithm)
                    ? Refuse("no_keys", $"There are no {algorithm} keys yet: the server makes the first when it starts.").Outcome
                    : Refuse("unknown_algorithm", $"There is no algorithm {Identifiers.Shown(algorithm)}; use {string.Join(", ", KeyFactory.Algorithms)}.").Outcome;
            }

            var step = await decide(rows, plan, rows.TimelineOf(algorithm, policy), clock.GetUtcNow());
            if (step is not Decision decision)
            {
                return step.Outcome;
            }

            if (await store.TryChangeAsync(decision.Change, decision.Audit, ct))
            {
                return decision.Outcome;
            }

            if (attempt == Attempts)
            {
                return Refuse("busy", $"The {algorithm} keys are being changed by others. Look, and try again.").Outcome;
            }
        }
    }

    private Decision Announce(
        KeyPlan plan, KeyTimeline timeline, DateTimeOffset now, DateTimeOffset at, IReadOnlyList<Client> all, string actor, bool force)
    {
        var key = factory.Create(plan.Algorithm);
        var following = Following(timeline.CurrentAt(now)!, key.Kid, at);
        var activation = force
            ? Forced(following, now)
            : following with { AwaitsReadiness = all.Any(client => client is { RequireReadiness: true, DisabledAt: null }) };
        return new Decision(
            new KeyChange { Plan = plan, AddedKey = key, AddedActivation = activation },
            Event(AuditTypes.KeyAnnounced, now, actor, force, $"{key.Kid} to sign from {Spans.Text(at)}"),
            key,
            activation);
    }

    // A key that is still published signs again. What was to follow the key that signs now follows this.
    private static Decision Return(KeyPlan plan, KeyTimeline timeline, SigningKey key, DateTimeOffset now, AuditEvent audit)
    {
        var activation = Following(timeline.CurrentAt(now)!, key.Kid, now);
        return new Decision(
            new KeyChange
            {
                Plan = plan,
                AddedActivation = activation,
                ChangedActivation = timeline.PendingAt(now) is { } pending ? pending with { Predecessor = activation.Id } : null,
            },
            audit,
            key,
            activation);
    }

    // Released in advance: no client holds up what somebody forced.
    private static KeyActivation Forced(KeyActivation activation, DateTimeOffset now) =>
        activation with { AwaitsReadiness = true, ReleasedAt = now };

    private static KeyActivation Following(KeyActivation current, string kid, DateTimeOffset at) => new()
    {
        Id = Handle.NewId(),
        Algorithm = current.Algorithm,
        Kid = kid,
        Predecessor = current.Id,
        At = at,
    };

    private static SigningKey Revoked(SigningKey key, DateTimeOffset now, string because) =>
        key with { RevokedAt = now, RevokedBecause = because, SealedPrivateKey = null, ErasedAt = key.ErasedAt ?? now };

    private Step? Unsafe(DateTimeOffset now, DateTimeOffset announcedAt, DateTimeOffset at, bool force, IReadOnlyList<Client> all)
    {
        if (at <= now)
        {
            return Refuse("past", $"{Spans.Text(at)} is not in the future: it is {Spans.Text(now)}.");
        }

        if (at > now + Farthest)
        {
            return Refuse("too_far", $"{Spans.Text(at)} is farther than {Spans.Text(Farthest)} away.");
        }

        var lead = policy.LeadFor(all);
        var earliest = RoundUp(announcedAt + lead.Needed);
        return force || at >= announcedAt + lead.Needed ? null : Refuse(
            "too_early",
            $"{Spans.Text(at)} is too early: {lead.Reason}. Earliest: {Spans.Text(earliest)}. --force does it anyway, and is audited.",
            earliest);
    }

    private static Step? NothingPending(string algorithm, KeyTimeline timeline, DateTimeOffset now, out KeyActivation pending)
    {
        pending = timeline.PendingAt(now)!;
        return pending is null
            ? Refuse("nothing_scheduled", $"No rollover of {algorithm} is announced.")
            : pending.EffectiveAt is { } soon && soon - now < KeyPolicy.Settling
                ? Refuse("too_late", $"{pending.Kid} begins to sign within {Spans.Text(KeyPolicy.Settling)}: wait for it, and undo it.")
                : null;
    }

    private (TimeSpan? Gap, string Words) ShortestGap(string cron, string timeZone, DateTimeOffset now)
    {
        const int Looked = 12;
        TimeSpan? shortest = null;
        var before = calendar.Next(cron, timeZone, now);
        for (var i = 0; i < Looked && before is { } from && calendar.Next(cron, timeZone, from) is { } next; i++)
        {
            shortest = shortest is { } known && known < next - from ? known : next - from;
            before = next;
        }

        // A single instant in the future is a plan too.
        shortest ??= before is null ? null : Farthest;
        return (shortest, $"The cron expression “{cron}”, which comes as soon as {Spans.Text(shortest ?? TimeSpan.Zero)} after itself,");
    }

    private static DateTimeOffset RoundUp(DateTimeOffset instant) =>
        instant.Ticks % TimeSpan.TicksPerSecond == 0 ? instant : instant.AddTicks(TimeSpan.TicksPerSecond - (instant.Ticks % TimeSpan.TicksPerSecond));

    private static AuditEvent Event(string type, DateTimeOffset now, string actor, bool forced, string? detail = null) =>
        new(type, now) { Actor = actor, Detail = forced ? $"{detail}, forced" : detail };

    private static KeyOutcome UnknownKey(string kid) => Refuse("unknown_key", $"There is no key {Identifiers.Shown(kid)}.").Outcome;

    private static Step Refuse(string code, string message, DateTimeOffset? earliest = null) =>
        new(new KeyOutcome.Refused(code, message, earliest));

    private record Step(KeyOutcome Outcome)
    {
        /// <summary>Nothing is due.</summary>
        public static Step Nothing { get; } = new(new KeyOutcome.Refused("nothing_due", "Nothing is due.", null));
    }

    private sealed record Decision(KeyChange Change, AuditEvent Audit, SigningKey Key, KeyActivation? Activation)
        : Step(new KeyOutcome.Done(Key, Activation, Audit));
}

/// <summary>How a deed on keys ended.</summary>
public abstract record KeyOutcome
{
    private KeyOutcome()
    {
    }

    /// <summary>Done and committed.</summary>
    /// <param name="Key">The key it was about: after <c>schedule</c> the new one, after <c>compromise</c> the one that signs now, if it changed.</param>
    /// <param name="Activation">When that key signs, if that changed.</param>
    /// <param name="Audit">What the audit log says of it.</param>
    public sealed record Done(SigningKey Key, KeyActivation? Activation, AuditEvent Audit) : KeyOutcome;

    /// <summary>Not done; nothing was changed.</summary>
    /// <param name="Code">A fixed word, e.g. <c>too_early</c>.</param>
    /// <param name="Message">A sentence for the operator.</param>
    /// <param name="Earliest">The earliest safe time, where that is the matter.</param>
    public sealed record Refused(string Code, string Message, DateTimeOffset? Earliest) : KeyOutcome;
}
