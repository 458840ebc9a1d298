using System.CommandLine;
using System.Globalization;
using IdentityServer.Admin;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Keys;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Protocol.Scopes;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Storage.Clients;

namespace IdentityServer.Commands;

/// <summary><c>clients add|list|show|set|disable|enable|remove|rotate-secret</c></summary>
internal sealed class ClientCommands : Command
{
    private static readonly TimeSpan DefaultOverlap = TimeSpan.FromHours(24);
    private const int MaxSecrets = 10;
    private const int SaveAttempts = 5;

    private readonly Terminal _terminal;

    public ClientCommands(Terminal terminal)
        : base("clients", "The apps and services that get tokens.")
    {
        _terminal = terminal;
        Add(AddCommand());
        Add(ListCommand());
        Add(ShowCommand());
        Add(SetCommand());
        Add(DisableCommand());
        Add(EnableCommand());
        Add(RemoveCommand());
        Add(RotateCommand());
    }

    /// <summary>Values of a repeatable option; one value may hold several words, as a scope parameter does.</summary>
    public static IReadOnlyList<string> Words(string[]? values) => values is null ? [] :
        [.. values.SelectMany(value => value.Length == 0 ? [value] : value.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Distinct(StringComparer.Ordinal)];

    private Command AddCommand()
    {
        var id = CommonOptions.Name("ID", "The client id: visible ASCII without space, quote and backslash.");
        var type = new Option<string>("--type") { Description = "The kind of app; it decides the defaults.", Required = true };
        type.AcceptOnlyFromAmong(StringComparer.OrdinalIgnoreCase, "web", "spa", "native", "service", "device");
        var name = CommonOptions.One("--name", "TEXT", "What people read on the consent page. Default: the id.");
        var redirectUris = CommonOptions.Many("--redirect-uri", "URI", "Where answers go, exactly; repeatable.");
        var logoutUris = CommonOptions.Many("--post-logout-redirect-uri", "URI", "Where people may be sent after signing out; repeatable.");
        var scopes = CommonOptions.Many("--scope", "SCOPE", "What it may ask for; repeatable. Default: openid profile email offline_access, none for a service.");
        var grants = CommonOptions.Many("--grant", "GRANT", "authorization_code, refresh_token, client_credentials, device_code; repeatable. Default: by type.");
        var auth = CommonOptions.One("--auth", "METHOD", "How it proves itself: basic, post, private_key_jwt, none. Default: basic for web and service, none otherwise.");
        var jwks = CommonOptions.One("--jwks", "FILE", "Its public keys (JWK or JWK Set) for private_key_jwt.");
        var format = new Option<string>("--token-format") { Description = "Access tokens: jwt (signed) or reference (opaque).", DefaultValueFactory = _ => "jwt" };
        format.AcceptOnlyFromAmong(StringComparer.OrdinalIgnoreCase, "jwt", "reference");
        var algorithm = new Option<string>("--id-token-alg") { Description = "What signs its ID tokens.", DefaultValueFactory = _ => "RS256" };
        algorithm.AcceptOnlyFromAmong(StringComparer.OrdinalIgnoreCase, "RS256", "ES256", "PS256", "ES384");
        var userInfo = new Option<string?>("--userinfo-alg") { Description = "What signs UserInfo for it. Default: plain JSON." };
        userInfo.AcceptOnlyFromAmong(StringComparer.OrdinalIgnoreCase, "RS256", "ES256", "PS256", "ES384");
        var lifetime = new Option<int?>("--access-token-lifetime") { Description = "Seconds an access token lives. Default: 600.", HelpName = "SECONDS" };
        var noConsent = new Option<bool>("--no-consent") { Description = "Do not ask people; only for your own organisation's apps." };
        var keyCache = CommonOptions.Duration("--key-cache", "How long it keeps a key set before it fetches again, if longer than 12 h.");
        var readiness = new Option<bool>("--require-readiness") { Description = "Key rollovers wait until it has fetched the new key." };
        var minimumAcr = MinimumAcrOption();
        var maxAge = MaxAgeOption();
        var backChannel = BackChannelOption();
        var frontChannel = FrontChannelOption();
        var origins = CommonOptions.Many("--origin", "ORIGIN", "Where its scripts run, e.g. https://app.example.com; repeatable. A spa's redirect URIs count by themselves.");
        var json = CommonOptions.Json();
        var add = new Command("add", "Register a client. A secret is made here, shown once, and kept only as a hash.")
        {
            id, type, name, redirectUris, logoutUris, scopes, grants, auth, jwks, format, algorithm, userInfo, lifetime, noConsent,
            keyCache, readiness, minimumAcr, maxAge, backChannel, frontChannel, origins, json,
        };
        add.SetAction((parsed, ct) => AddAsync(
            new ClientDraft(parsed.GetRequiredValue(id), Enum.Parse<ClientType>(parsed.GetRequiredValue(type), ignoreCase: true))
            {
                Name = parsed.GetValue(name),
                RedirectUris = parsed.GetValue(redirectUris) ?? [],
                PostLogoutRedirectUris = parsed.GetValue(logoutUris) ?? [],
                Scopes = Words(parsed.GetValue(scopes)),
                GrantTypes = [.. Words(parsed.GetValue(grants)).Select(GrantNamed)],
                AuthMethod = MethodNamed(parsed.GetValue(auth)),
                Jwks = parsed.GetValue(jwks) is { } file ? ReadKeys(file) : null,
                TokenFormat = Enum.Parse<TokenFormat>(parsed.GetRequiredValue(format), ignoreCase: true),
                IdTokenSigningAlgorithm = parsed.GetRequiredValue(algorithm).ToUpperInvariant(),
                UserInfoSigningAlgorithm = parsed.GetValue(userInfo)?.ToUpperInvariant(),
                AccessTokenLifetime = parsed.GetValue(lifetime) is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
                RequireConsent = parsed.GetValue(noConsent) ? false : null,
                KeyCacheLifetime = parsed.GetValue(keyCache),
                RequireReadiness = parsed.GetValue(readiness),
                MinimumAcr = AcrNamed(parsed.GetValue(minimumAcr)),
                DefaultMaxAge = OrNone(parsed.GetValue(maxAge)),
                BackChannelLogoutUri = OrNone(parsed.GetValue(backChannel)),
                FrontChannelLogoutUri = OrNone(parsed.GetValue(frontChannel)),
                AllowedOrigins = parsed.GetValue(origins) ?? [],
            },
            parsed.GetValue(json),
            ct));
        return add;
    }

    private Command ListCommand()
    {
        var json = CommonOptions.Json();
        var list = new Command("list", "List the clients.") { json };
        list.SetAction((parsed, ct) => ListAsync(parsed.GetValue(json), ct));
        return list;
    }

    private Command ShowCommand()
    {
        var id = CommonOptions.Name("ID", "The client id.");
        var json = CommonOptions.Json();
        var show = new Command("show", "Show one client.") { id, json };
        show.SetAction((parsed, ct) => ShowAsync(parsed.GetRequiredValue(id), parsed.GetValue(json), ct));
        return show;
    }

    private Command SetCommand()
    {
        var id = CommonOptions.Name("ID", "The client id.");
        var keyCache = CommonOptions.Duration("--key-cache", "How long it keeps a key set before it fetches again; 0: as stock clients do.");
        var readiness = new Option<bool?>("--require-readiness") { Description = "true: key rollovers wait until it has fetched the new key.", HelpName = "true|false" };
        var minimumAcr = MinimumAcrOption();
        var maxAge = MaxAgeOption();
        var backChannel = BackChannelOption();
        var frontChannel = FrontChannelOption();
        var json = CommonOptions.Json();
        var set = new Command(
            "set", "Change what a client asks of sign-ins, where it is told of their end, and what rollovers of signing keys have to know of it.")
        {
            id, keyCache, readiness, minimumAcr, maxAge, backChannel, frontChannel, json,
        };
        set.SetAction((parsed, ct) => SetAsync(
            parsed.GetRequiredValue(id),
            new ClientChange(
                parsed.GetValue(keyCache), parsed.GetValue(readiness), parsed.GetValue(minimumAcr), parsed.GetValue(maxAge))
            {
                BackChannelLogoutUri = parsed.GetValue(backChannel),
                FrontChannelLogoutUri = parsed.GetValue(frontChannel),
            },
            parsed.GetValue(json),
            ct));
        return set;
    }

    private static Option<string?> MinimumAcrOption()
    {
        var option = new Option<string?>("--minimum-acr")
        {
            Description = "How strongly people must sign in for it: mfa (two factors), phr (a passkey), none (as they like).",
        };
        option.AcceptOnlyFromAmong("mfa", "phr", "none");
        return option;
    }

    private static Option<TimeSpan?> MaxAgeOption() =>
        CommonOptions.Duration("--max-age", "For how long a sign-in counts for it, unless it asks for less; 0: as long as the session.");

    private static Option<string?> BackChannelOption() => CommonOptions.One(
        "--backchannel-logout-uri", "URI", "Where this server tells it that a session has ended; empty: nowhere.");

    private static Option<string?> FrontChannelOption() => CommonOptions.One(
        "--frontchannel-logout-uri", "URI", "What the sign-out page loads in a frame; empty: nothing.");

    private static string? AcrNamed(string? name) => name switch
    {
        "mfa" => AcrValues.Mfa,
        "phr" => AcrValues.PhishingResistant,
        _ => null,
    };

    private Command DisableCommand()
    {
        var id = CommonOptions.Name("ID", "The client id.");
        var reason = new Option<string>("--reason") { Description = "Why; the audit log and the receipt keep it.", HelpName = "TEXT", Required = true };
        var disable = new Command("disable", "Refuse a client from now on and end everything it was given; it can be enabled again.") { id, reason };
        disable.SetAction((parsed, ct) => DisableAsync(parsed.GetRequiredValue(id), parsed.GetRequiredValue(reason), ct));
        return disable;
    }

    private Command EnableCommand()
    {
        var id = CommonOptions.Name("ID", "The client id.");
        var enable = new Command("enable", "Serve a client that was disabled. What ended stays ended.") { id };
        enable.SetAction((parsed, ct) => EnableAsync(parsed.GetRequiredValue(id), ct));
        return enable;
    }

    private Command RemoveCommand()
    {
        var id = CommonOptions.Name("ID", "The client id.");
        var remove = new Command("remove", "Remove a client and end everything it was given.") { id };
        remove.SetAction((parsed, ct) => RemoveAsync(parsed.GetRequiredValue(id), ct));
        return remove;
    }

    private Command RotateCommand()
    {
        var id = CommonOptions.Name("ID", "The client id.");
        var expireOld = CommonOptions.Duration(
            "--expire-old", "How long the secrets it has now go on working: 0, 90s, 15m, 24h, 7d. Default: 24h.");
        var json = CommonOptions.Json();
        var rotate = new Command("rotate-secret", "Make a new secret, shown once; the old ones go on working for a while.") { id, expireOld, json };
        rotate.SetAction((parsed, ct) => RotateAsync(parsed.GetRequiredValue(id), parsed.GetValue(expireOld) ?? DefaultOverlap, parsed.GetValue(json), ct));
        return rotate;
    }

    private async Task<int> AddAsync(ClientDraft draft, bool json, CancellationToken ct)
    {
        await using var session = await CommandSession.OpenCurrentAsync(ct);
        draft = draft with { IsForDevelopment = session.IsDevelopment };
        var registered = await session.Get<IScopeStore>().ListScopesAsync(ct);
        var known = registered.Select(scope => scope.Name).Concat(StandardScopes.All.Keys).Concat(AdminScopes.All.Keys).ToHashSet(StringComparer.Ordinal);
        var faults = draft.Faults(known);
        if (faults.Count > 0)
        {
            throw CommandException.Refused(string.Join(Environment.NewLine, faults.Select(Explain).Distinct(StringComparer.Ordinal)));
        }

        var now = session.Now;
        var (secret, record) = draft.WantsSecret ? NewSecret(now) : (null, null);
        var client = draft.Build(record, now);
        if (!await session.Get<IClientStore>().AddAsync(client, session.Audit(AuditTypes.ClientAdded, client.Id), ct))
        {
            throw CommandException.Refused($"There is a client {client.Id} already.");
        }

        if (json)
        {
            _terminal.WriteJson(writer => ClientMetadata.Write(writer, client, secret));
        }
        else
        {
            _terminal.Say($"Client {client.Id} added.");
            WriteSecret(client, secret);
            WriteClient(client);
        }

        return ExitCodes.Done;
    }

    private async Task<int> ListAsync(bool json, CancellationToken ct)
    {
        await using var session = await CommandSession.OpenCurrentAsync(ct);
        var clients = await session.Get<IClientStore>().ListAsync(ct);
        if (json)
        {
            _terminal.WriteJsonArray(clients, (writer, client) => ClientMetadata.Write(writer, client, secret: null));
        }
        else
        {
            _terminal.WriteTable(
                "There are no clients yet.",
                ["Client", "Type", "Name", "Authentication", "Grants", "Scopes", "State"],
                clients.Select(client => new[]
                {
                    client.Id, client.Type.ToString().ToLowerInvariant(), client.Name, client.AuthMethod,
                    string.Join(' ', client.GrantTypes.Select(ShortGrant).Order(StringComparer.Ordinal)),
                    string.Join(' ', client.Scopes.Order(StringComparer.Ordinal)),
                    client.DisabledAt is null ? "enabled" : "disabled",
                }));
        }

        return ExitCodes.Done;
    }

    private async Task<int> ShowAsync(string id, bool json, CancellationToken ct)
    {
        await using var session = await CommandSession.OpenCurrentAsync(ct);
        var client = await FindAsync(session, id, ct);
        if (json)
        {
            _terminal.WriteJson(writer => ClientMetadata.Write(writer, client, secret: null));
        }
        else
        {
            _terminal.Say($"Client {client.Id}");
            WriteClient(client);
        }

        return ExitCodes.Done;
    }

    private async Task<int> RemoveAsync(string id, CancellationToken ct)
    {
        await using var session = await CommandSession.OpenCurrentAsync(ct);
        var removed = new ClientRemoved { Audit = session.Audit(AuditTypes.ClientRemoved, id) };
        var receipt = await session.Get<Revoker>().EndClientAsync(id, removed, new Cause("client_removed", "cli", Address: null), ct)
            ?? throw NoSuchClient(id);
        _terminal.Say($"Client {id} removed; what it was given has ended.");
        _terminal.Say($"  receipt  {receipt.Id}");
        return ExitCodes.Done;
    }

    private async Task<int> DisableAsync(string id, string reason, CancellationToken ct)
    {
        if (PersonHelp.ReasonFault(reason) is { } fault)
        {
            throw CommandException.Refused($"The reason {fault}");
        }

        await using var session = await CommandSession.OpenCurrentAsync(ct);
        await FindAsync(session, id, ct);
        var disabled = new ClientDisabled { Audit = session.Audit(AuditTypes.ClientDisabled, id, reason) };
        var cause = new Cause("client_disabled", "cli", Address: null) { Note = reason };
        var receipt = await session.Get<Revoker>().EndClientAsync(id, disabled, cause, ct)
            ?? throw CommandException.Refused($"The client {id} is disabled already.");
        _terminal.Say($"Client {id} disabled; what it was given has ended.");
        _terminal.Say($"  receipt  {receipt.Id}");
        return ExitCodes.Done;
    }

    private async Task<int> EnableAsync(string id, CancellationToken ct)
    {
        await using var session = await CommandSession.OpenCurrentAsync(ct);
        for (var attempt = 1; attempt <= SaveAttempts; attempt++)
        {
            var client = await FindAsync(session, id, ct);
            if (client.DisabledAt is null)
            {
                throw CommandException.Refused($"The client {id} is enabled.");
            }

            if (await session.Get<IClientStore>().UpdateAsync(
                client with { DisabledAt = null }, session.Audit(AuditTypes.ClientEnabled, id), ct))
            {
                _terminal.Say($"Client {id} enabled.");
                return ExitCodes.Done;
            }
        }

        throw BeingChanged(id);
    }

    private async Task<int> SetAsync(string id, ClientChange change, bool json, CancellationToken ct)
    {
        if (change == ClientChange.Nothing)
        {
            throw CommandException.Usage(
                "Say what to change: --key-cache DURATION, --require-readiness true|false, --minimum-acr mfa|phr|none, --max-age DURATION, "
                + "--backchannel-logout-uri URI or --frontchannel-logout-uri URI.");
        }

        if (ClientDraft.KeyCacheFault(change.KeyCache) is { } fault)
        {
            throw CommandException.Refused(fault.Message);
        }

        await using var session = await CommandSession.OpenCurrentAsync(ct);
        for (var attempt = 1; attempt <= SaveAttempts; attempt++)
        {
            var client = await FindAsync(session, id, ct);
            var changed = client with
            {
                KeyCacheLifetime = change.KeyCache is null ? client.KeyCacheLifetime : OrNone(change.KeyCache),
                RequireReadiness = change.Readiness ?? client.RequireReadiness,
                MinimumAcr = change.MinimumAcr is null ? client.MinimumAcr : AcrNamed(change.MinimumAcr),
                DefaultMaxAge = change.MaxAge is null ? client.DefaultMaxAge : OrNone(change.MaxAge),
                BackChannelLogoutUri = change.BackChannelLogoutUri is null ? client.BackChannelLogoutUri : OrNone(change.BackChannelLogoutUri),
                FrontChannelLogoutUri = change.FrontChannelLogoutUri is null ? client.FrontChannelLogoutUri : OrNone(change.FrontChannelLogoutUri),
            };

            // Only what is new: an address from Development stays removable elsewhere, and the rest changeable.
            var faults = ClientDraft.LogoutFaults(
                OrNone(change.BackChannelLogoutUri), OrNone(change.FrontChannelLogoutUri), client.RedirectUris, session.IsDevelopment).ToArray();
            if (faults.Length > 0)
            {
                throw CommandException.Refused(string.Join(Environment.NewLine, faults.Select(Explain)));
            }

            if (await session.Get<IClientStore>().UpdateAsync(changed, session.Audit(AuditTypes.ClientChanged, id, change.Told), ct))
            {
                if (json)
                {
                    _terminal.WriteJson(writer => ClientMetadata.Write(writer, changed, secret: null));
                }
                else
                {
                    _terminal.Say($"Client {changed.Id} changed.");
                    WriteClient(changed);
                }

                return ExitCodes.Done;
            }
        }

        throw BeingChanged(id);
    }

    private async Task<int> RotateAsync(string id, TimeSpan expireOld, bool json, CancellationToken ct)
    {
        await using var session = await CommandSession.OpenCurrentAsync(ct);
        for (var attempt = 1; attempt <= SaveAttempts; attempt++)
        {
            var client = await FindAsync(session, id, ct);
            if (client.AuthMethod is not (ClientAuthMethods.Basic or ClientAuthMethods.Post))
            {
                throw CommandException.Refused($"The client {client.Id} has no secret: it proves itself by {client.AuthMethod}.");
            }

            var now = session.Now;
            var kept = client.Secrets.Where(old => old.ExpiresAt is null || old.ExpiresAt > now)
                .Select(old => old.ExpiresAt is { } end && end < now + expireOld ? old : old with { ExpiresAt = now + expireOld })
                .Where(old => old.ExpiresAt > now)
                .ToArray();
            if (kept.Length >= MaxSecrets)
            {
                throw CommandException.Refused($"The client {client.Id} has {kept.Length} live secrets; wait until some expire, or use --expire-old 0.");
            }

            var (secret, record) = NewSecret(now);
            var changed = client with { Secrets = [.. kept, record] };
            if (await session.Get<IClientStore>().UpdateAsync(changed, session.Audit(AuditTypes.ClientChanged, id, $"secret {record.Id} added"), ct))
            {
                WriteRotation(changed, secret, kept, json);
                return ExitCodes.Done;
            }

            // Somebody saved the client between reading and writing: once more, on what they saved.
        }

        throw BeingChanged(id);
    }

    private void WriteRotation(Client client, string secret, ClientSecret[] kept, bool json)
    {
        if (json)
        {
            _terminal.WriteJson(writer => ClientMetadata.Write(writer, client, secret));
            return;
        }

        _terminal.Say($"Client {client.Id} has a new secret.");
        WriteSecret(client, secret);
        _terminal.Say(kept.Length == 0
            ? "No other secret works any more."
            : $"{kept.Length} older secret(s) go on working until {CommonOptions.Shown(kept.Max(old => old.ExpiresAt))}.");
    }

    private void WriteSecret(Client client, string? secret)
    {
        if (secret is not null)
        {
            _terminal.WriteFacts([("client_id", client.Id), ("client_secret", secret)]);
            _terminal.Hint("Keep the secret now: it is not shown again, and the server holds only a hash of it.");
        }
    }

    private void WriteClient(Client client) => _terminal.WriteFacts(
    [
        ("name", client.Name),
        ("type", client.Type.ToString().ToLowerInvariant()),
        ("authentication", client.AuthMethod),
        ("secrets", string.Join(", ", client.Secrets.Select(secret => $"{secret.Id} (until {(secret.ExpiresAt is { } end ? CommonOptions.Shown(end) : "removed")})"))),
        ("grants", string.Join(' ', client.GrantTypes.Select(ShortGrant).Order(StringComparer.Ordinal))),
        ("scopes", string.Join(' ', client.Scopes.Order(StringComparer.Ordinal))),
        ("redirect URIs", string.Join(' ', client.RedirectUris)),
        ("post-logout URIs", string.Join(' ', client.PostLogoutRedirectUris)),
        ("back-channel logout", client.BackChannelLogoutUri),
        ("front-channel logout", client.FrontChannelLogoutUri),
        ("origins", string.Join(' ', client.AllowedOrigins)),
        ("public keys", client.Jwks),
        ("access tokens", $"{(client.TokenFormat == TokenFormat.Jwt ? "jwt" : "reference")}, {client.AccessTokenLifetime.TotalSeconds.ToString("0", CultureInfo.InvariantCulture)} s"),
        ("ID tokens", client.IdTokenSigningAlgorithm),
        ("UserInfo", client.UserInfoSigningAlgorithm ?? "not signed"),
        ("key sets", client.KeyCacheLifetime is { } cache ? $"kept for {Spans.Text(cache)}" : null),
        ("key rollovers", client.RequireReadiness ? "wait for it" : null),
        ("sign-in", client.MinimumAcr is { } acr ? $"{acr} or stronger" : null),
        ("sign-in counts", client.DefaultMaxAge is { } age ? $"for {Spans.Text(age)}" : null),
        ("consent", client.RequireConsent ? "asked" : "not asked"),
        ("added", CommonOptions.Shown(client.CreatedAt)),
        ("disabled", client.DisabledAt is { } at ? CommonOptions.Shown(at) : null),
    ]);

    private static string? OrNone(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static TimeSpan? OrNone(TimeSpan? duration) => duration == TimeSpan.Zero ? null : duration;

    private static async Task<Client> FindAsync(CommandSession session, string id, CancellationToken ct) =>
        await session.Get<IClientStore>().FindAsync(id, ct) ?? throw NoSuchClient(id);

    private static CommandException BeingChanged(string id) =>
        CommandException.Refused($"The client {Identifiers.Shown(id)} is being changed by others; try again.");

    private static CommandException NoSuchClient(string id) =>
        CommandException.Refused($"There is no client {Identifiers.Shown(id)}. List them with: identityserver clients list");

    private static (string Secret, ClientSecret Record) NewSecret(DateTimeOffset now)
    {
        var handle = Handle.Create();
        return (handle.Text, new ClientSecret(Handle.NewId(), handle.Hash, now, ExpiresAt: null));
    }

    private static string Explain(ClientFault fault) => fault.Scope is { } scope && Identifiers.Fault(scope) is null
        ? $"{fault.Message} Add it first: identityserver scopes add {scope}"
        : fault.Message;

    private static string ReadKeys(string file)
    {
        try
        {
            if (new FileInfo(file) is { Exists: true, Length: > 1024 * 1024 })
            {
                throw CommandException.Refused($"The file {file} is too large for a key set.");
            }

            return PublicKeySet.TryRead(File.ReadAllText(file), out var jwks, out var fault) ? jwks : throw CommandException.Refused(fault);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw CommandException.Usage($"The key file cannot be read: {error.Message}");
        }
    }

    private static string GrantNamed(string name) => name == "device_code" ? GrantTypes.DeviceCode : name;

    private static string ShortGrant(string grant) => grant == GrantTypes.DeviceCode ? "device_code" : grant;

    private static string? MethodNamed(string? name) => name switch
    {
        "basic" => ClientAuthMethods.Basic,
        "post" => ClientAuthMethods.Post,
        _ => name,
    };
}

/// <summary>What <c>clients set</c> changes; what is <see langword="null"/> stays.</summary>
internal sealed record ClientChange(TimeSpan? KeyCache, bool? Readiness, string? MinimumAcr, TimeSpan? MaxAge)
{
    public static ClientChange Nothing { get; } = new(null, null, null, null);

    /// <summary>Empty: none from now on.</summary>
    public string? BackChannelLogoutUri { get; init; }

    /// <summary>Empty: none from now on.</summary>
    public string? FrontChannelLogoutUri { get; init; }

    /// <summary>For the audit log.</summary>
    public string Told => string.Join(", ", new[]
    {
        KeyCache is null && Readiness is null ? null : "key rollover",
        MinimumAcr is null && MaxAge is null ? null : "sign-in",
        BackChannelLogoutUri is null && FrontChannelLogoutUri is null ? null : "logout",
    }.OfType<string>());
}
