using System.CommandLine;
using IdentityServer.Admin;
using IdentityServer.Keys;
using IdentityServer.Protocol.Clients;

namespace IdentityServer.Commands;

/// <summary><c>users show|set|unlock|reset-factors|disable|enable</c>: what helps people in, and keeps others out.</summary>
internal static class PersonCommands
{
    private delegate ValueTask<HelpOutcome> Deed(PersonHelp help, string subject, string reason, CancellationToken ct);

    public static IEnumerable<Command> All(Terminal terminal) =>
    [
        Show(terminal),
        Set(terminal),
        Explained(
            terminal, "unlock", "Forget the wrong attempts that were counted against a person.", "unlocked",
            (help, subject, reason, ct) => help.UnlockAsync(subject, reason, "cli", ct)),
        Explained(
            terminal, "reset-factors", "Take every second factor of a person away, because they lost them, and end their sessions.",
            "has no second factor any more; their sessions have ended",
            (help, subject, reason, ct) => help.ResetFactorsAsync(subject, reason, "cli", ct),

            // It mails, and what waits to be mailed is sealed.
            needsMasterKey: true),
        Explained(
            terminal, "disable", "Let a person in no more, and end everything they have.", "disabled; everything they had has ended",
            (help, subject, reason, ct) => help.DisableAsync(subject, reason, "cli", ct)),
        Explained(
            terminal, "enable", "Let a person in again.", "enabled", (help, subject, reason, ct) => help.EnableAsync(subject, reason, "cli", ct)),
    ];

    private static Command Show(Terminal terminal)
    {
        var name = Name();
        var json = CommonOptions.Json();
        var show = new Command("show", "Show how a person can sign in.") { name, json };
        show.SetAction(async (parsed, ct) =>
        {
            await using var session = await CommandSession.OpenCurrentAsync(ct);
            var person = PersonView.Of(await FindAsync(session, parsed.GetRequiredValue(name), ct));
            if (parsed.GetValue(json))
            {
                terminal.WriteJson(writer => System.Text.Json.JsonSerializer.Serialize(writer, person, AdminJson.Plain.PersonView));
                return ExitCodes.Done;
            }

            terminal.Say($"User {person.UserName}");
            terminal.WriteFacts(
            [
                ("sub", person.Sub),
                ("name", person.Name),
                ("authenticator app", person.HasAuthenticator ? "yes" : "no"),
                ("passkey", person.HasPasskey ? "yes" : "no"),
                ("recovery codes", person.RecoveryCodes.ToString(System.Globalization.CultureInfo.InvariantCulture)),
                ("second factor", person.RequiresSecondFactor ? "always required" : "when there is one, or an app asks"),
                ("password barred", person.PasswordBarredAt is { } barred ? CommonOptions.Shown(barred) : null),
                ("strangers", person.Throttled ? "have to wait after wrong attempts" : null),
                ("disabled", person.DisabledAt is { } at ? CommonOptions.Shown(at) : null),
            ]);
            return ExitCodes.Done;
        });
        return show;
    }

    private static Command Set(Terminal terminal)
    {
        var name = Name();
        var required = new Option<bool?>("--require-second-factor")
        {
            Description = "true: signing in always takes two factors for them.",
            HelpName = "true|false",
        };
        var set = new Command("set", "Change what is asked of a person.") { name, required };
        set.SetAction(async (parsed, ct) =>
        {
            if (parsed.GetValue(required) is not { } isRequired)
            {
                throw CommandException.Usage("Say what to change: --require-second-factor true|false.");
            }

            await using var session = await CommandSession.OpenCurrentAsync(ct);
            var user = (await FindAsync(session, parsed.GetRequiredValue(name), ct)).User;
            await session.Get<PersonHelp>().RequireSecondFactorAsync(user.Id, isRequired, "cli", ct);
            terminal.Say($"{user.UserName} changed.");
            return ExitCodes.Done;
        });
        return set;
    }

    private static Command Explained(Terminal terminal, string word, string description, string done, Deed deed, bool needsMasterKey = false)
    {
        var name = Name();
        var reason = new Option<string>("--reason") { Description = "Why; the audit log keeps it.", HelpName = "TEXT", Required = true };
        var command = new Command(word, description) { name, reason };
        command.SetAction(async (parsed, ct) =>
        {
            if (PersonHelp.ReasonFault(parsed.GetRequiredValue(reason)) is { } fault)
            {
                throw CommandException.Refused($"The reason {fault}");
            }

            await using var session = await CommandSession.OpenCurrentAsync(ct);
            if (needsMasterKey)
            {
                await session.Get<MasterKeyLoader>().LoadAsync(ct);
            }

            var user = (await FindAsync(session, parsed.GetRequiredValue(name), ct)).User;
            terminal.Say(await deed(session.Get<PersonHelp>(), user.Id, parsed.GetRequiredValue(reason), ct) switch
            {
                HelpOutcome.Done => $"{user.UserName} {done}.",
                HelpOutcome.LastAdmin => throw CommandException.Refused(
                    $"{user.UserName} is the last admin: nobody else could administer the server. Make another admin first."),
                _ => throw CommandException.Refused($"Nothing to do: it is so already for {user.UserName}."),
            });
            return ExitCodes.Done;
        });
        return command;
    }

    private static Argument<string> Name() => CommonOptions.Name("NAME", "The user name, the e-mail address or the sub.");

    private static async Task<PersonSituation> FindAsync(CommandSession session, string name, CancellationToken ct) =>
        await session.Get<PersonHelp>().FindAsync(name, ct)
            ?? throw CommandException.Refused($"There is no user {Identifiers.Shown(name)}.");
}
