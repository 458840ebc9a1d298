using System.CommandLine;
using System.Globalization;
using IdentityServer.Protocol.Audit;
using IdentityServer.Storage.Logout;

namespace IdentityServer.Commands;

/// <summary><c>logout status|retry</c></summary>
internal sealed class LogoutCommands : Command
{
    private const int Most = 1000;
    private static readonly TimeSpan LastDay = TimeSpan.FromDays(1);

    private readonly Terminal _terminal;

    public LogoutCommands(Terminal terminal)
        : base("logout", "What clients are told when sessions end.")
    {
        _terminal = terminal;
        var json = CommonOptions.Json();
        var status = new Command("status", "Show what waits, what was delivered in the last day, and what was given up.") { json };
        status.SetAction((parsed, ct) => StatusAsync(parsed.GetValue(json), ct));

        var id = new Argument<string?>("ID") { Description = "The notice, as status shows it.", Arity = ArgumentArity.ZeroOrOne };
        var all = new Option<bool>("--all") { Description = "Every notice that was given up." };
        var retry = new Command("retry", "Try once more to tell a client what was given up.") { id, all };
        retry.Validators.Add(parsed =>
        {
            if (parsed.GetValue(id) is null != parsed.GetValue(all))
            {
                parsed.AddError("Name one notice, or say --all.");
            }
        });
        retry.SetAction((parsed, ct) => RetryAsync(parsed.GetValue(id), ct));

        Add(status);
        Add(retry);
    }

    private async Task<int> StatusAsync(bool json, CancellationToken ct)
    {
        await using var session = await CommandSession.OpenCurrentAsync(ct);
        var notices = session.Get<ILogoutNotices>();
        var counts = await notices.CountAsync(session.Now - LastDay, ct);
        var dead = await notices.DeadAsync(Most, ct);
        if (json)
        {
            WriteJson(counts, dead);
            return ExitCodes.Done;
        }

        _terminal.WriteFacts(
        [
            ("endings not told yet", counts.Untold.ToString(CultureInfo.InvariantCulture)),
            ("waiting", counts.Waiting.ToString(CultureInfo.InvariantCulture)),
            ("oldest waits since", counts.OldestAt is { } oldest ? CommonOptions.Shown(oldest) : null),
            ("delivered in the last day", counts.Delivered.ToString(CultureInfo.InvariantCulture)),
            ("given up", counts.Dead.ToString(CultureInfo.InvariantCulture)),
        ]);
        if (dead.Count > 0)
        {
            _terminal.WriteTable(
                "",
                ["Notice", "Client", "Session", "Ended", "Given up", "Attempts", "Why"],
                dead.Select(notice => new[]
                {
                    notice.Id, notice.ClientId, notice.SessionId, CommonOptions.Shown(notice.CreatedAt), CommonOptions.Shown(notice.DeadAt),
                    notice.Attempts.ToString(CultureInfo.InvariantCulture), notice.Error ?? "",
                }));
        }

        return ExitCodes.Done;
    }

    private async Task<int> RetryAsync(string? id, CancellationToken ct)
    {
        await using var session = await CommandSession.OpenCurrentAsync(ct);
        var notices = session.Get<ILogoutNotices>();
        var dead = (await notices.DeadAsync(Most, ct)).Where(notice => id is null || notice.Id == id).ToArray();
        if (id is not null && dead.Length == 0)
        {
            throw CommandException.Refused("No notice of that ID was given up. See: identityserver logout status");
        }

        var retried = 0;
        foreach (var notice in dead)
        {
            var audit = session.Audit(AuditTypes.LogoutRetried, notice.ClientId) with { Subject = notice.Subject, SessionId = notice.SessionId };
            retried += await notices.RetryAsync(notice.Id, session.Now, audit, ct) ? 1 : 0;
        }

        _terminal.Say($"{retried} notice(s) will be tried once more by a running server.");
        return ExitCodes.Done;
    }

    private void WriteJson(LogoutCounts counts, IReadOnlyList<LogoutNotice> dead) => _terminal.WriteJson(writer =>
    {
        writer.WriteStartObject();
        writer.WriteNumber("untold", counts.Untold);
        writer.WriteNumber("waiting", counts.Waiting);
        CommonOptions.WriteInstant(writer, "oldestAt", counts.OldestAt);
        writer.WriteNumber("deliveredInLastDay", counts.Delivered);
        writer.WriteNumber("dead", counts.Dead);
        writer.WriteStartArray("deadNotices");
        foreach (var notice in dead)
        {
            writer.WriteStartObject();
            writer.WriteString("id", notice.Id);
            writer.WriteString("receipt", notice.ReceiptId);
            writer.WriteString("client_id", notice.ClientId);
            writer.WriteString("sub", notice.Subject);
            writer.WriteString("sid", notice.SessionId);
            CommonOptions.WriteInstant(writer, "createdAt", notice.CreatedAt);
            CommonOptions.WriteInstant(writer, "deadAt", notice.DeadAt);
            writer.WriteNumber("attempts", notice.Attempts);
            writer.WriteString("error", notice.Error);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    });
}
