using System.CommandLine;
using System.Text.Json;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Scopes;

namespace IdentityServer.Commands;

/// <summary><c>apis add|list</c></summary>
internal sealed class ApiCommands : Command
{
    private readonly Terminal _terminal;

    public ApiCommands(Terminal terminal)
        : base("apis", "The APIs that tokens are made for.")
    {
        _terminal = terminal;
        Add(AddCommand());
        Add(ListCommand());
    }

    private Command AddCommand()
    {
        var name = CommonOptions.Name("NAME", "The audience (aud) of its tokens, e.g. orders-api.");
        var displayName = CommonOptions.One("--display-name", "TEXT", "What people read.");
        var scopes = CommonOptions.Many("--scope", "SCOPE", "A registered scope that belongs to this API; repeatable.");
        var introspectors = CommonOptions.Many(
            "--introspection-client", "ID", "A client that may introspect its tokens, besides one with the API's own name; repeatable.");
        var json = CommonOptions.Json();
        var add = new Command("add", "Register an API.") { name, scopes, introspectors, displayName, json };
        add.SetAction((parsed, ct) => AddAsync(
            new ApiResource(parsed.GetRequiredValue(name))
            {
                DisplayName = parsed.GetValue(displayName),
                Scopes = ClientCommands.Words(parsed.GetValue(scopes)),
                IntrospectionClients = ClientCommands.Words(parsed.GetValue(introspectors)),
            },
            parsed.GetValue(json),
            ct));
        return add;
    }

    private Command ListCommand()
    {
        var json = CommonOptions.Json();
        var list = new Command("list", "List the APIs.") { json };
        list.SetAction((parsed, ct) => ListAsync(parsed.GetValue(json), ct));
        return list;
    }

    private async Task<int> AddAsync(ApiResource api, bool json, CancellationToken ct)
    {
        var fault = Identifiers.Fault(api.Name) is { } name ? $"The API name {name}"
            : api.DisplayName is { } shown && Identifiers.DisplayFault(shown) is { } display ? $"The display name {display}"
            : api.IntrospectionClients.Select(Identifiers.Fault).FirstOrDefault(found => found is not null) is { } client ? $"The introspection client's id {client}"
            : api.Scopes.FirstOrDefault(StandardScopes.All.ContainsKey) is { } standard ? $"{standard} is a standard scope and belongs to no API."
            : api.Scopes.FirstOrDefault(AdminScopes.All.ContainsKey) is { } admin ? $"{admin} belongs to this server's own admin API."
            : null;
        if (fault is not null)
        {
            throw CommandException.Refused(fault);
        }

        await using var session = await CommandSession.OpenCurrentAsync(ct);
        var store = session.Get<IScopeStore>();
        var known = (await store.ListScopesAsync(ct)).Select(scope => scope.Name).ToHashSet(StringComparer.Ordinal);
        if (api.Scopes.FirstOrDefault(scope => !known.Contains(scope)) is { } unknown)
        {
            var typed = Identifiers.Shown(unknown);
            throw CommandException.Refused($"The scope {typed} does not exist. Add it first: identityserver scopes add {typed}");
        }

        if (!await store.AddApiAsync(api, session.Audit(AuditTypes.ApiAdded, detail: api.Name), ct))
        {
            throw CommandException.Refused($"There is an API {api.Name} already.");
        }

        foreach (var id in api.IntrospectionClients)
        {
            if (await session.Get<IClientStore>().FindAsync(id, ct) is null)
            {
                _terminal.Hint($"Note: there is no client {id} yet; once there is, it may introspect this API's tokens.");
            }
        }

        if (json)
        {
            _terminal.WriteJson(writer => Write(writer, api));
        }
        else
        {
            _terminal.Say($"API {api.Name} added.");
        }

        return ExitCodes.Done;
    }

    private async Task<int> ListAsync(bool json, CancellationToken ct)
    {
        await using var session = await CommandSession.OpenCurrentAsync(ct);
        var apis = (await session.Get<IScopeStore>().ListApisAsync(ct)).OrderBy(api => api.Name, StringComparer.Ordinal).ToArray();
        if (json)
        {
            _terminal.WriteJsonArray(apis, Write);
        }
        else
        {
            _terminal.WriteTable(
                "There are no APIs.",
                ["API", "Display name", "Scopes", "Introspection by"],
                apis.Select(api => new[]
                {
                    api.Name, api.DisplayName ?? "", string.Join(' ', api.Scopes), string.Join(' ', api.IntrospectionClients),
                }));
        }

        return ExitCodes.Done;
    }

    private static void Write(Utf8JsonWriter writer, ApiResource api)
    {
        writer.WriteStartObject();
        writer.WriteString("name", api.Name);
        writer.WriteString("display_name", api.DisplayName);
        CommonOptions.WriteArray(writer, "scopes", api.Scopes);
        CommonOptions.WriteArray(writer, "introspection_clients", api.IntrospectionClients);
        writer.WriteEndObject();
    }
}
