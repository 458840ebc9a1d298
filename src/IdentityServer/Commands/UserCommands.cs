using System.CommandLine;
using System.Text.Json;
using IdentityServer.Mail;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Clients;
using IdentityServer.Storage.Users;

namespace IdentityServer.Commands;

/// <summary><c>users add|list</c>, and those of <see cref="PersonCommands"/>.</summary>
internal sealed class UserCommands : Command
{
    private readonly Terminal _terminal;

    public UserCommands(Terminal terminal)
        : base("users", "The people who sign in.")
    {
        _terminal = terminal;
        Add(AddCommand());
        Add(ListCommand());
        foreach (var command in PersonCommands.All(terminal))
        {
            Add(command);
        }
    }

    private Command AddCommand()
    {
        var name = CommonOptions.Name("NAME", "The user name they sign in with.");
        var email = new Option<string>("--email") { Description = "Their e-mail address.", HelpName = "ADDRESS", Required = true };
        var password = new Option<bool>("--password-stdin")
        {
            Description = "Read the password from standard input (its first line): an argument would be visible to others. (REQUIRED)",
        };
        var roles = CommonOptions.Many("--role", string.Join('|', Roles.All), "What they may do in the administration; repeatable. Default: nothing.");
        var displayName = CommonOptions.One("--name", "TEXT", "Their whole name as it is shown.");
        var json = CommonOptions.Json();
        var add = new Command("add", "Add a person.") { name, email, password, roles, displayName, json };
        add.Validators.Add(parsed =>
        {
            if (!parsed.GetValue(password))
            {
                parsed.AddError("The password comes on standard input: add --password-stdin.");
            }
        });
        add.SetAction((parsed, ct) => AddAsync(
            new User(parsed.GetRequiredValue(name)) { Email = parsed.GetRequiredValue(email), Name = parsed.GetValue(displayName) },
            ClientCommands.Words(parsed.GetValue(roles)),
            parsed.GetValue(json),
            ct));
        return add;
    }

    private Command ListCommand()
    {
        var json = CommonOptions.Json();
        var list = new Command("list", "List the people.") { json };
        list.SetAction((parsed, ct) => ListAsync(parsed.GetValue(json), ct));
        return list;
    }

    private async Task<int> AddAsync(User user, IReadOnlyList<string> roles, bool json, CancellationToken ct)
    {
        var fault = Identifiers.DisplayFault(user.UserName!) is { } name ? $"The user name {name}"
            : user.Name is { } shown && Identifiers.DisplayFault(shown) is { } display ? $"The name {display}"
            : !MailAddresses.IsPossible(user.Email!) ? "The e-mail address is not one: write name@example.com."
            : roles.FirstOrDefault(role => !Roles.All.Contains(role)) is { } role
                ? $"There is no role {Identifiers.Shown(role)}. Roles: {string.Join(", ", Roles.All)}."
            : null;
        if (fault is not null)
        {
            throw CommandException.Refused(fault);
        }

        if (_terminal.ReadSecret("Password: ") is not { Length: > 0 } password)
        {
            throw CommandException.Usage("No password came in. Write it to standard input, e.g.: printf %s \"$PASSWORD\" | identityserver users add …");
        }

        await using var session = await CommandSession.OpenCurrentAsync(ct);
        var result = await session.Get<Users>().AddAsync(user, password, roles, session.Audit(AuditTypes.UserAdded), ct);
        if (!result.Succeeded)
        {
            throw CommandException.Refused(string.Join(Environment.NewLine, result.Errors.Select(error => error.Description)));
        }

        if (json)
        {
            _terminal.WriteJson(writer => Write(writer, new UserEntry(user, roles)));
        }
        else
        {
            _terminal.Say($"Added {user.UserName} (sub {user.Id}).");
        }

        return ExitCodes.Done;
    }

    private async Task<int> ListAsync(bool json, CancellationToken ct)
    {
        await using var session = await CommandSession.OpenCurrentAsync(ct);
        var people = await session.Get<Users>().ListAsync(ct);
        if (json)
        {
            _terminal.WriteJsonArray(people, Write);
        }
        else
        {
            _terminal.WriteTable(
                "There are no people yet.",
                ["User name", "Sub", "E-mail", "Name", "Roles", "State", "Added"],
                people.Select(entry => new[]
                {
                    entry.User.UserName ?? "", entry.User.Id, entry.User.Email ?? "", entry.User.Name ?? "", string.Join(' ', entry.Roles),
                    entry.User.DisabledAt is null ? "enabled" : "disabled", CommonOptions.Shown(entry.User.CreatedAt),
                }));
        }

        return ExitCodes.Done;
    }

    private static void Write(Utf8JsonWriter writer, UserEntry entry)
    {
        writer.WriteStartObject();
        writer.WriteString("sub", entry.User.Id);
        writer.WriteString("user_name", entry.User.UserName);
        writer.WriteString("email", entry.User.Email);
        writer.WriteString("name", entry.User.Name);
        CommonOptions.WriteArray(writer, "roles", entry.Roles);
        writer.WriteBoolean("disabled", entry.User.DisabledAt is not null);
        CommonOptions.WriteInstant(writer, "createdAt", entry.User.CreatedAt);
        writer.WriteEndObject();
    }
}
