using System.CommandLine;
using System.Text.Json;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Scopes;

namespace IdentityServer.Commands;

/// <summary><c>scopes add|list</c></summary>
internal sealed class ScopeCommands : Command
{
    private const int MaxDescription = 300;

    private readonly Terminal _terminal;

    public ScopeCommands(Terminal terminal)
        : base("scopes", "The permissions apps may ask for.")
    {
        _terminal = terminal;
        Add(AddCommand());
        Add(ListCommand());
    }

    private Command AddCommand()
    {
        var name = CommonOptions.Name("NAME", "The scope as apps write it, e.g. orders.read.");
        var displayName = CommonOptions.One("--display-name", "TEXT", "What people read on the consent page.");
        var description = CommonOptions.One("--description", "TEXT", "One sentence more for them.");
        var changesData = new Option<bool>("--changes-data") { Description = "Mark it on the consent page: it changes data." };
        var json = CommonOptions.Json();
        var add = new Command("add", "Register a scope.") { name, displayName, description, changesData, json };
        add.SetAction((parsed, ct) => AddAsync(
            new Scope(parsed.GetRequiredValue(name))
            {
                DisplayName = parsed.GetValue(displayName),
                Description = parsed.GetValue(description),
                ChangesData = parsed.GetValue(changesData),
            },
            parsed.GetValue(json),
            ct));
        return add;
    }

    private Command ListCommand()
    {
        var json = CommonOptions.Json();
        var list = new Command("list", "List the standard and the registered scopes.") { json };
        list.SetAction((parsed, ct) => ListAsync(parsed.GetValue(json), ct));
        return list;
    }

    private async Task<int> AddAsync(Scope scope, bool json, CancellationToken ct)
    {
        var fault = Identifiers.Fault(scope.Name) is { } name ? $"The scope name {name}"
            : scope.DisplayName is { } shown && Identifiers.DisplayFault(shown) is { } display ? $"The display name {display}"
            : scope.Description is { } text && Identifiers.DisplayFault(text, MaxDescription) is { } description ? $"The description {description}"
            : null;
        if (fault is not null)
        {
            throw CommandException.Refused(fault);
        }

        if (StandardScopes.All.ContainsKey(scope.Name))
        {
            throw CommandException.Refused($"{scope.Name} is a standard scope: it exists already.");
        }

        if (AdminScopes.All.ContainsKey(scope.Name))
        {
            throw CommandException.Refused($"{scope.Name} is built in: it exists already.");
        }

        await using var session = await CommandSession.OpenCurrentAsync(ct);
        if (!await session.Get<IScopeStore>().AddScopeAsync(scope, session.Audit(AuditTypes.ScopeAdded, detail: scope.Name), ct))
        {
            throw CommandException.Refused($"There is a scope {scope.Name} already.");
        }

        if (json)
        {
            _terminal.WriteJson(writer => Write(writer, scope, []));
        }
        else
        {
            _terminal.Say($"Scope {scope.Name} added.");
        }

        return ExitCodes.Done;
    }

    private async Task<int> ListAsync(bool json, CancellationToken ct)
    {
        await using var session = await CommandSession.OpenCurrentAsync(ct);
        var store = session.Get<IScopeStore>();
        var scopes = StandardScopes.All.Values.OrderBy(scope => scope.Name, StringComparer.Ordinal)
            .Concat(AdminScopes.All.Values)
            .Concat((await store.ListScopesAsync(ct)).OrderBy(scope => scope.Name, StringComparer.Ordinal))
            .ToArray();
        var apis = await store.ListApisAsync(ct);
        var apisOf = apis.SelectMany(api => api.Scopes, (api, scope) => (scope, api.Name))
            .ToLookup(pair => pair.scope, pair => pair.Name, StringComparer.Ordinal);
        if (json)
        {
            _terminal.WriteJsonArray(scopes, (writer, scope) => Write(writer, scope, apisOf[scope.Name]));
        }
        else
        {
            _terminal.WriteTable(
                "There are no scopes.",
                ["Scope", "Kind", "Display name", "APIs"],
                scopes.Select(scope => new[]
                {
                    scope.Name,
                    StandardScopes.All.ContainsKey(scope.Name) ? "standard" : AdminScopes.All.ContainsKey(scope.Name) ? "admin" : "registered",
                    scope.DisplayName ?? "",
                    string.Join(' ', apisOf[scope.Name]),
                }));
        }

        return ExitCodes.Done;
    }

    private static void Write(Utf8JsonWriter writer, Scope scope, IEnumerable<string> apis)
    {
        writer.WriteStartObject();
        writer.WriteString("name", scope.Name);
        writer.WriteString("display_name", scope.DisplayName);
        writer.WriteString("description", scope.Description);
        writer.WriteBoolean("standard", StandardScopes.All.ContainsKey(scope.Name));
        writer.WriteBoolean("changes_data", scope.ChangesData);
        CommonOptions.WriteArray(writer, "claims", scope.Claims);
        CommonOptions.WriteArray(writer, "apis", apis);
        writer.WriteEndObject();
    }
}
