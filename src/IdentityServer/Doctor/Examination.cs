using IdentityServer.Commands;
using IdentityServer.Configuration;
using IdentityServer.Passkeys;
using IdentityServer.Storage.Schema;

namespace IdentityServer.Doctor;

/// <summary>
/// Looks at everything a start needs, in the order a start needs it, and changes nothing. What failed does not keep the rest from being
/// looked at.
/// </summary>
internal static class Examination
{
    public static async Task<IReadOnlyList<Finding>> RunAsync(CancellationToken ct)
    {
        var builder = ServerFolders.CommandBuilder();
        var (settings, problems) = SettingsReader.Examine(builder.Configuration, builder.Environment);
        var findings = new List<Finding> { SettingsFinding(problems), IssuerFinding(settings, problems) };

        var masterKeys = IsWrong(problems, SettingsReader.MasterKeyKey)
            ? MasterKeyChecks.NotLookedAt
            : new MasterKeyChecks(settings.MasterKey, builder.Environment, TimeProvider.System.GetUtcNow());
        findings.AddRange(masterKeys.Findings);

        var mail = await MailChecks.LookAtServerAsync(
            settings.Mail, IsWrong(problems, SettingsReader.MailKey), builder.Environment.IsDevelopment(), ct);
        if (IsWrong(problems, SettingsReader.DatabaseKey))
        {
            findings.AddRange(DatabaseChecks.Names.Concat(KeyChecks.Names).Select(check => Finding.NotLookedAt(check, "settings")));
            findings.AddRange([mail, await MailChecks.LookAtOutboxAsync(session: null, "settings", ct)]);
            return findings;
        }

        await using var session = CommandSession.Open(builder, settings);
        var (database, schema) = await DatabaseChecks.RunAsync(session, ct);
        findings.AddRange(database);
        findings.AddRange(await KeysAsync(session, masterKeys, schema, ct));
        findings.Add(mail);
        findings.Add(await MailChecks.LookAtOutboxAsync(session, schema is null ? "database" : schema.IsCurrent ? null : "schema", ct));
        return findings;
    }

    private static async Task<IEnumerable<Finding>> KeysAsync(
        CommandSession session, MasterKeyChecks masterKeys, SchemaStatus? schema, CancellationToken ct)
    {
        if (schema is not { IsCurrent: true })
        {
            return KeyChecks.Names.Select(check => Finding.NotLookedAt(check, schema is null ? "database" : "schema"));
        }

        try
        {
            return await new KeyChecks(session, masterKeys.Protector).RunAsync(ct);
        }
        catch (Exception error) when (DatabaseChecks.FaultOf(error) is not null)
        {
            return KeyChecks.Names.Select(check => Finding.NotLookedAt(check, "database"));
        }
    }

    private static Finding SettingsFinding(IReadOnlyList<SettingProblem> problems) => problems.Count == 0
        ? Finding.Ok("settings", "Every setting can be read.")
        : Finding.Fail("settings", string.Join(" ", problems), "Correct each of them; docs/settings.md lists what is allowed.");

    // What the reader lets pass is https, or this machine.
    private static Finding IssuerFinding(ServerSettings settings, IReadOnlyList<SettingProblem> problems)
    {
        var wrong = problems.FirstOrDefault(problem => problem.Key is SettingsReader.IssuerKey or SettingsReader.UrlsKey);
        return wrong is not null
            ? Finding.Fail("issuer", wrong.ToString(), "Set it to the public address of this server, such as https://id.example.com.")
            : Finding.Ok(
                "issuer",
                (settings.Issuer.StartsWith("https:", StringComparison.Ordinal)
                    ? $"{settings.Issuer} is https."
                    : $"{settings.Issuer} is plain http, and this machine only.")
                + (new PasskeyDomain(settings).IsOn ? "" : " " + PasskeyDomain.WhyOff));
    }

    private static bool IsWrong(IReadOnlyList<SettingProblem> problems, string section) =>
        problems.Any(problem => problem.Key.StartsWith(section, StringComparison.OrdinalIgnoreCase));
}
