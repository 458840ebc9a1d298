using System.Text.Json;
using IdentityServer.Protocol.Keys;
using IdentityServer.Protocol.Revocations;

namespace IdentityServer.Admin;

/// <summary>The signing keys in the admin API, <c>/admin/api/v1/keys…</c> (docs/admin-api.md).</summary>
internal sealed class KeysApi(
    KeySituations situations, KeyRollover rollover, KeyReadiness readiness, SigningKeyRing ring, Revoker revoker, IReceiptStore receipts)
{
    private const int LongestReason = 200;

    /// <summary>What can be done at an address below <c>keys</c>, by method; <see langword="null"/>: nothing is there.</summary>
    public IReadOnlyDictionary<string, AdminDeed>? Find(string[] path) => path switch
    {
        [] => Get(ListAsync),
        ["plans"] => Get(PlansAsync),
        ["preflight"] => Get(PreflightAsync),
        [var kid] => Get((_, ct) => ShowAsync(kid, ct)),
        [var kid, "compromise"] => new Dictionary<string, AdminDeed>(StringComparer.Ordinal)
        {
            ["GET"] = (_, ct) => WeighAsync(kid, ct),
            ["POST"] = (call, ct) => CompromiseAsync(kid, call, ct),
        },
        [var kid, "activate"] => Post((call, ct) => ActivateAsync(kid, call, ct)),
        [var algorithm, "schedule"] => Post((call, ct) => ScheduleAsync(algorithm, call, ct)),
        [var algorithm, "move"] => Post((call, ct) => MoveAsync(algorithm, call, ct)),
        [var algorithm, "cancel"] => Post((call, ct) => CancelAsync(algorithm, call, ct)),
        [var algorithm, "undo"] => Post((call, ct) => UndoAsync(algorithm, call, ct)),
        _ => null,
    };

    private async ValueTask<AdminAnswer> ListAsync(AdminCall call, CancellationToken ct)
    {
        var situation = await situations.ReadAsync(ct);
        return AdminAnswer.Of([.. situation.Entries.Select(entry => View(situation, entry))], AdminJson.Plain.IReadOnlyListKeyView);
    }

    private async ValueTask<AdminAnswer> ShowAsync(string kid, CancellationToken ct)
    {
        var situation = await situations.ReadAsync(ct);
        if (situation.Find(kid) is not { } entry)
        {
            return UnknownKey;
        }

        var view = View(situation, entry);
        using var jwk = JsonDocument.Parse(entry.Key.PublicJwk);
        return AdminAnswer.Of(
            new KeyDetailView
            {
                Kid = view.Kid,
                Alg = view.Alg,
                State = view.State,
                CreatedAt = view.CreatedAt,
                ActiveFrom = view.ActiveFrom,
                RetiresAt = view.RetiresAt,
                ErasedAt = view.ErasedAt,
                RevokedAt = view.RevokedAt,
                RevokedBecause = view.RevokedBecause,
                Held = view.Held,
                TokensAlive = view.TokensAlive,
                MasterKeyId = entry.Key.MasterKeyId,
                Jwk = jwk.RootElement,
                Uses = Uses(situation.RadiusOf(kid)),
            },
            AdminJson.Plain.KeyDetailView);
    }

    private async ValueTask<AdminAnswer> PlansAsync(AdminCall call, CancellationToken ct)
    {
        var situation = await situations.ReadAsync(ct);
        return AdminAnswer.Of(
            [.. KeyFactory.Algorithms.Where(name => situation.Rows.PlanOf(name) is not null).Select(name => Plan(situation, name))],
            AdminJson.Plain.IReadOnlyListPlanView);
    }

    private async ValueTask<AdminAnswer> PreflightAsync(AdminCall call, CancellationToken ct)
    {
        if (call.Query["alg"] is not [{ Length: > 0 } algorithm])
        {
            return AdminAnswer.Malformed($"Name one algorithm: ?alg={KeyFactory.Algorithms[0]}");
        }

        var situation = await situations.ReadAsync(ct);
        var timeline = situation.TimelineOf(algorithm);
        var pending = timeline.PendingAt(situation.Now);
        if (situation.Find(pending?.Kid ?? timeline.SigningAt(situation.Now)?.Kid ?? "") is not { } entry)
        {
            return Refused(new KeyOutcome.Refused(
                "unknown_algorithm", $"There are no keys of this algorithm; use {string.Join(", ", KeyFactory.Algorithms)}.", null));
        }

        return AdminAnswer.Of(
            new PreflightView
            {
                Alg = algorithm,
                Kid = entry.Key.Kid,
                State = Word(entry.State),
                SignsFrom = pending?.At,
                Held = entry.IsHeld,
                LeadTime = situation.Lead.Needed,
                LeadReason = situation.Lead.Reason,
                Earliest = (pending is null ? situation.Now : entry.Key.CreatedAt) + situation.Lead.Needed,
                Clients = [.. (await readiness.OfAsync(entry.Key.Kid, ct)).Select(View)],
            },
            AdminJson.Plain.PreflightView);
    }

    private async ValueTask<AdminAnswer> WeighAsync(string kid, CancellationToken ct)
    {
        var situation = await situations.ReadAsync(ct);
        if (situation.Find(kid) is not { } entry)
        {
            return UnknownKey;
        }

        var radius = situation.RadiusOf(kid);
        var takeover = situation.TakeoverFrom(entry);
        return AdminAnswer.Of(
            new CompromiseView(
                kid,
                entry.Key.Algorithm,
                Word(entry.State),
                radius.Tokens,
                radius.LastEnd,
                Uses(radius),
                new SuccessorView(takeover.Kind.ToString().ToLowerInvariant(), takeover.Kid)),
            AdminJson.Plain.CompromiseView);
    }

    private async ValueTask<AdminAnswer> ScheduleAsync(string algorithm, AdminCall call, CancellationToken ct)
    {
        if (!call.TryRead(AdminJson.Plain.ScheduleBody, out var body, out var refused))
        {
            return refused;
        }

        switch (body)
        {
            case { At: { } at, Every: null, Cron: null, TimeZone: null }:
                return await AnswerAsync(await rollover.ScheduleAsync(algorithm, at, body.Force, call.Actor, ct), isNew: true, ct);

            case { At: null, Every: not null, Cron: null, TimeZone: null } or { At: null, Every: null, Cron: not null }:
                var outcome = await rollover.PlanAsync(
                    algorithm, body.Every, body.Cron, body.TimeZone ?? "UTC", body.Force, call.Actor, ct);
                return outcome is KeyOutcome.Refused { } no ? Refused(no) : await AnswerWithPlanAsync(algorithm, ct);

            default:
                return AdminAnswer.Malformed("Send one of at, every and cron; timeZone goes with cron.");
        }
    }

    private async ValueTask<AdminAnswer> MoveAsync(string algorithm, AdminCall call, CancellationToken ct)
    {
        if (!call.TryRead(AdminJson.Plain.MoveBody, out var body, out var refused))
        {
            return refused;
        }

        return body.At is { } at
            ? await AnswerAsync(await rollover.MoveAsync(algorithm, at, body.Force, call.Actor, ct), isNew: false, ct)
            : AdminAnswer.Malformed("The member at is missing.");
    }

    private async ValueTask<AdminAnswer> CancelAsync(string algorithm, AdminCall call, CancellationToken ct) =>
        call.TryRead(AdminJson.Plain.EmptyBody, out _, out var refused)
            ? await AnswerAsync(await rollover.CancelAsync(algorithm, call.Actor, ct), isNew: false, ct)
            : refused;

    private async ValueTask<AdminAnswer> UndoAsync(string algorithm, AdminCall call, CancellationToken ct) =>
        call.TryRead(AdminJson.Plain.EmptyBody, out _, out var refused)
            ? await AnswerAsync(await rollover.UndoAsync(algorithm, call.Actor, ct), isNew: false, ct)
            : refused;

    private async ValueTask<AdminAnswer> ActivateAsync(string kid, AdminCall call, CancellationToken ct) =>
        call.TryRead(AdminJson.Plain.ForceBody, out var body, out var refused)
            ? await AnswerAsync(await rollover.ActivateAsync(kid, body.Force, call.Actor, ct), isNew: false, ct)
            : refused;

    private async ValueTask<AdminAnswer> CompromiseAsync(string kid, AdminCall call, CancellationToken ct)
    {
        if (!call.TryRead(AdminJson.Plain.CompromiseBody, out var body, out var refused))
        {
            return refused;
        }

        if (Protocol.Clients.Identifiers.DisplayFault(body.Reason ?? "", LongestReason) is { } fault)
        {
            return AdminAnswer.Malformed($"The reason {fault}");
        }

        var outcome = await rollover.CompromiseAsync(kid, body.Reason!, call.Actor, ct);

        // Also for a key that was taken back before: whoever was interrupted between the two asks again.
        var ended = body.EndSessions && outcome is (KeyOutcome.Done or KeyOutcome.Refused { Code: "already_revoked" })
            ? (await receipts.CountAsync(
                await revoker.EndEverythingAsync(new Cause("key_compromised", call.Actor, Address: null) { Note = body.Reason }, ct), ct)).Sessions
            : (int?)null;
        return outcome is KeyOutcome.Refused { } && ended is { } count
            ? AdminAnswer.Of(new SessionsEndedView(count), AdminJson.Plain.SessionsEndedView)
            : await AnswerAsync(outcome, isNew: false, ct, ended);
    }

    private async ValueTask<AdminAnswer> AnswerAsync(KeyOutcome outcome, bool isNew, CancellationToken ct, int? sessionsEnded = null)
    {
        if (outcome is not KeyOutcome.Done { Key: var key, Audit: var audit })
        {
            return Refused((KeyOutcome.Refused)outcome);
        }

        // So that this answer and the JWKS of this node agree at once.
        await ring.ReloadAsync(ct);
        var situation = await situations.ReadAsync(ct);
        var view = View(situation, situation.Find(key.Kid)!);
        return AdminAnswer.Of(
            new DeedView(audit.Type, audit.Detail, view, situation.TimelineOf(key.Algorithm).SigningAt(situation.Now)?.Kid, sessionsEnded),
            AdminJson.Plain.DeedView,
            isNew ? StatusCodes.Status201Created : StatusCodes.Status200OK) with
        {
            Location = isNew ? $"/admin/api/v1/keys/{key.Kid}" : null,
        };
    }

    private async ValueTask<AdminAnswer> AnswerWithPlanAsync(string algorithm, CancellationToken ct)
    {
        await ring.ReloadAsync(ct);
        return AdminAnswer.Of(Plan(await situations.ReadAsync(ct), algorithm), AdminJson.Plain.PlanView);
    }

    private static AdminAnswer UnknownKey { get; } = Refused(new KeyOutcome.Refused("unknown_key", "There is no such key.", null));

    /// <summary>404: there is no such thing; 409: not as things stand; 422: not so, or not yet.</summary>
    private static AdminAnswer Refused(KeyOutcome.Refused refused)
    {
        var (status, title) = refused.Code switch
        {
            "unknown_key" => (404, "There is no such key"),
            "unknown_algorithm" => (404, "There is no such algorithm"),
            "already_scheduled" => (409, "A rollover is announced already"),
            "nothing_scheduled" => (409, "No rollover is announced"),
            "nothing_to_undo" => (409, "There is no key to go back to"),
            "too_late" => (409, "The rollover is about to happen"),
            "already_active" => (409, "The key signs already"),
            "already_revoked" => (409, "The key was taken back already"),
            "retired" => (409, "The key is no longer published"),
            "no_keys" => (409, "There are no keys yet"),
            "busy" => (409, "The keys are being changed by others"),
            "past" => (422, "The time has passed"),
            "too_far" => (422, "The time is too far away"),
            "too_early" => (422, "Clients may not have the key by then"),
            "not_ready" => (422, "A client that must be waited for has not fetched the key"),
            "too_often" => (422, "The keys would change faster than clients follow"),
            "invalid_cron" => (422, "The cron expression or its time zone means nothing"),
            "invalid_interval" => (422, "The interval is of no use"),
            _ => (409, "Not as things stand"),
        };

        // Said to whoever types commands; here the same is a member of the body.
        var detail = refused.Message.Replace("--force does it", "\"force\": true does it", StringComparison.Ordinal);
        return AdminAnswer.Problem(status, refused.Code, title, detail, refused.Earliest);
    }

    private static Dictionary<string, AdminDeed> Get(AdminDeed deed) => new(StringComparer.Ordinal) { ["GET"] = deed };

    private static Dictionary<string, AdminDeed> Post(AdminDeed deed) => new(StringComparer.Ordinal) { ["POST"] = deed };

    private static KeyView View(KeySituation situation, KeyEntry entry) => new()
    {
        Kid = entry.Key.Kid,
        Alg = entry.Key.Algorithm,
        State = Word(entry.State),
        CreatedAt = entry.Key.CreatedAt,
        ActiveFrom = entry.ActiveFrom,
        RetiresAt = entry.RetiresAt,
        ErasedAt = entry.Key.ErasedAt,
        RevokedAt = entry.Key.RevokedAt,
        RevokedBecause = entry.Key.RevokedBecause,
        Held = entry.IsHeld,
        TokensAlive = situation.RadiusOf(entry.Key.Kid).Tokens,
    };

    private static PlanView Plan(KeySituation situation, string algorithm)
    {
        var plan = situation.Rows.PlanOf(algorithm)!;
        var timeline = situation.TimelineOf(algorithm);
        var pending = timeline.PendingAt(situation.Now);
        return new PlanView
        {
            Alg = algorithm,
            Signing = timeline.SigningAt(situation.Now)?.Kid,
            Every = plan.Cron is null ? plan.Every ?? situation.Policy.RotationInterval : null,
            Cron = plan.Cron,
            TimeZone = plan.Cron is null ? null : plan.TimeZone,
            Forced = plan.IsForced,
            NextActivation = pending?.At ?? situation.NextPlanned(algorithm)?.At,
            Pending = pending is null ? null : new PendingView(pending.Kid, pending.At, pending.EffectiveAt is null),
            UndoTo = timeline.BeforeAt(situation.Now)?.Kid,
        };
    }

    private static ReadinessView View(ClientReadiness entry) => new()
    {
        Client = entry.Client.Id,
        State = entry.State switch { Readiness.HasIt => "hasIt", Readiness.NotYet => "notYet", _ => "unknown" },
        FetchedAt = entry.FetchedAt,
        LastFetchAt = entry.LastFetchAt,
        UsualIntervalSeconds = (long?)entry.UsualInterval?.TotalSeconds,
        HoldsBack = entry.HoldsBack,
        Evidence = Evidence(entry),
    };

    private static string Evidence(ClientReadiness entry)
    {
        var usual = entry.UsualInterval is { } interval ? $", as it does about every {Spans.Text(interval)}" : "";
        return entry.State switch
        {
            Readiness.HasIt => $"It fetched the key {Spans.Text(entry.FetchedAt!.Value)}; its last fetch was {Spans.Text(entry.LastFetchAt!.Value)}{usual}.",
            Readiness.NotYet => $"It last fetched keys {Spans.Text(entry.LastFetchAt!.Value)}{usual}; this key was not among them.",
            _ => "It was never seen at its own JWKS address.",
        };
    }

    private static ClientUseView[] Uses(BlastRadius radius) =>
        [.. radius.ByClient.Select(use => new ClientUseView(use.ClientId, use.Tokens, use.LastEnd))];

    private static string Word(KeyState state) => state.ToString().ToLowerInvariant();
}
