using System.CommandLine;
using System.Globalization;
using IdentityServer.Mail;
using IdentityServer.Protocol.Audit;
using IdentityServer.Storage.Mail;

namespace IdentityServer.Commands;

/// <summary><c>mail status|retry</c></summary>
internal sealed class MailCommands : Command
{
    private const int Most = 1000;
    private static readonly TimeSpan LastDay = TimeSpan.FromDays(1);

    private readonly Terminal _terminal;

    public MailCommands(Terminal terminal)
        : base("mail", "What the server mails.")
    {
        _terminal = terminal;
        var json = CommonOptions.Json();
        var status = new Command("status", "Show what waits, what was sent in the last day, and what was given up.") { json };
        status.SetAction((parsed, ct) => StatusAsync(parsed.GetValue(json), ct));

        var id = new Argument<string?>("ID") { Description = "The mail, as status shows it.", Arity = ArgumentArity.ZeroOrOne };
        var all = new Option<bool>("--all") { Description = "Every mail that was given up and can still be sent." };
        var retry = new Command("retry", "Try once more to send what was given up.") { id, all };
        retry.Validators.Add(parsed =>
        {
            if (parsed.GetValue(id) is null != parsed.GetValue(all))
            {
                parsed.AddError("Name one mail, or say --all.");
            }
        });
        retry.SetAction((parsed, ct) => RetryAsync(parsed.GetValue(id), ct));

        Add(status);
        Add(retry);
    }

    private async Task<int> StatusAsync(bool json, CancellationToken ct)
    {
        await using var session = await CommandSession.OpenCurrentAsync(ct);
        var outbox = session.Get<IOutbox>();
        var counts = await outbox.CountAsync(session.Now - LastDay, ct);
        var dead = await outbox.DeadAsync(Most, ct);
        if (json)
        {
            WriteJson(counts, dead);
            return ExitCodes.Done;
        }

        _terminal.WriteFacts(
        [
            ("waiting", counts.Waiting.ToString(CultureInfo.InvariantCulture)),
            ("sent in the last day", counts.Sent.ToString(CultureInfo.InvariantCulture)),
            ("given up", counts.Dead.ToString(CultureInfo.InvariantCulture)),
        ]);
        if (dead.Count > 0)
        {
            _terminal.WriteTable(
                "",
                ["Mail", "Kind", "Written", "Given up", "Attempts", "Retry", "Why"],
                dead.Select(mail => new[]
                {
                    mail.Id, mail.Kind, CommonOptions.Shown(mail.CreatedAt), CommonOptions.Shown(mail.DeadAt),
                    mail.Attempts.ToString(CultureInfo.InvariantCulture), CanBeRetried(mail) ? "possible" : "no: its link has expired", mail.Error ?? "",
                }));
        }

        return ExitCodes.Done;
    }

    private async Task<int> RetryAsync(string? id, CancellationToken ct)
    {
        await using var session = await CommandSession.OpenCurrentAsync(ct);
        var outbox = session.Get<IOutbox>();
        var dead = (await outbox.DeadAsync(Most, ct)).Where(mail => id is null || mail.Id == id).ToArray();
        if (id is not null && dead.Length == 0)
        {
            throw CommandException.Refused("No mail of that ID was given up. See: identityserver mail status");
        }

        if (id is not null && !CanBeRetried(dead[0]))
        {
            throw CommandException.Refused("The link in that mail has expired, so it helps nobody: whoever needs another asks for it.");
        }

        var retried = 0;
        foreach (var mail in dead.Where(CanBeRetried))
        {
            var audit = session.Audit(AuditTypes.MailRetried, detail: mail.Kind) with { Subject = mail.Subject };
            retried += await outbox.RetryAsync(mail.Id, session.Now, audit, ct) ? 1 : 0;
        }

        _terminal.Say($"{retried} mail(s) will be tried once more by a running server.");
        return ExitCodes.Done;
    }

    private static bool CanBeRetried(OutboxMail mail) => MailKind.Named(mail.Kind) is not { IsAskedFor: true };

    private void WriteJson(OutboxCounts counts, IReadOnlyList<OutboxMail> dead) => _terminal.WriteJson(writer =>
    {
        writer.WriteStartObject();
        writer.WriteNumber("waiting", counts.Waiting);
        writer.WriteNumber("sentInLastDay", counts.Sent);
        writer.WriteNumber("dead", counts.Dead);
        writer.WriteStartArray("deadMails");
        foreach (var mail in dead)
        {
            writer.WriteStartObject();
            writer.WriteString("id", mail.Id);
            writer.WriteString("kind", mail.Kind);
            writer.WriteString("sub", mail.Subject);
            CommonOptions.WriteInstant(writer, "createdAt", mail.CreatedAt);
            CommonOptions.WriteInstant(writer, "deadAt", mail.DeadAt);
            writer.WriteNumber("attempts", mail.Attempts);
            writer.WriteBoolean("retry", CanBeRetried(mail));
            writer.WriteString("error", mail.Error);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    });
}
