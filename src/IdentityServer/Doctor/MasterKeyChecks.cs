using IdentityServer.Configuration;
using IdentityServer.Keys;

namespace IdentityServer.Doctor;

/// <summary>The master key of the settings and its predecessors: whether they can be read, who else can read them, and for how long they are good.</summary>
internal sealed class MasterKeyChecks
{
    private const string Key = "master-key";
    private const string Files = "master-key-file";
    private const string Term = "master-key-term";
    private const string Previous = "master-key-previous";

    private readonly List<Finding> _findings = [];

    public MasterKeyChecks(MasterKeySettings settings, IHostEnvironment environment, DateTimeOffset now)
    {
        var sources = MasterKeySource.AllOf(settings);
        var sealing = sources[0];
        var key = ReadSealing(sealing, environment);
        _findings.Add(LookAtFiles(sources));
        _findings.Add(key is null ? Finding.NotLookedAt(Term, Key) : LookAtTerm(sealing, key, now));
        var opening = ReadPrevious(sources.Skip(1), environment);
        if (key is not null)
        {
            Protector = new MasterKeyProtector(key, opening);
        }
    }

    private MasterKeyChecks(IEnumerable<Finding> findings) => _findings.AddRange(findings);

    /// <summary>The settings of the master key are wrong.</summary>
    public static MasterKeyChecks NotLookedAt { get; } =
        new(new[] { Key, Files, Term, Previous }.Select(check => Finding.NotLookedAt(check, "settings")));

    public IReadOnlyList<Finding> Findings => _findings;

    /// <summary>Opens with the keys that could be read, whatever their term; <see langword="null"/> without the one that seals.</summary>
    public MasterKeyProtector? Protector { get; }

    private MasterKey? ReadSealing(MasterKeySource source, IHostEnvironment environment)
    {
        if (environment.IsDevelopment() && source.IsFile && !Path.Exists(source.Path))
        {
            _findings.Add(Finding.Warn(
                Key, $"There is none at {source.Path} yet.", "Start the server: in Development it makes one for a database that holds nothing sealed."));
            return null;
        }

        try
        {
            var key = source.ReadFor(environment);
            _findings.Add(Finding.Ok(Key, $"{key.Id}, from {source.Place}."));
            return key;
        }
        catch (MasterKeyException error)
        {
            _findings.Add(Finding.Fail(Key, error.Message, "Put the key in its place, or correct the settings of IdentityServer:MasterKey."));
            return null;
        }
    }

    private static Finding LookAtFiles(IReadOnlyList<MasterKeySource> sources)
    {
        var files = sources.SelectMany(source => source.Files).Distinct(StringComparer.Ordinal).Where(File.Exists).ToArray();
        var open = files.Where(MasterKeyFile.IsOpenToOthers).ToArray();
        return open.Length > 0
            ? Finding.Warn(Files, $"Others than the owner can read or change {string.Join(" and ", open)}.", $"Run: chmod 600 {string.Join(' ', open)}")
            : Finding.Ok(Files, files.Length == 0 ? "There is no file." : $"For the owner only: {string.Join(", ", files)}.");
    }

    private static Finding LookAtTerm(MasterKeySource source, MasterKey key, DateTimeOffset now) => key.Term switch
    {
        null => Finding.Ok(Term, "It has no certificate, and so no end."),
        { } term when now > term.Until => Finding.Fail(
            Term,
            $"The certificate ({source.Place}) expired on {MasterKeySource.Shown(term.Until)}; no server starts with it.",
            "Renew it with the same private key, or set a new master key with this one as IdentityServer:MasterKey:Previous:0 and run: identityserver keys master-key rotate"),
        { } term when now < term.From => Finding.Fail(
            Term,
            $"The certificate ({source.Place}) is not valid before {MasterKeySource.Shown(term.From)}; no server starts with it.",
            "Check this machine's clock, or use the master key that was used until now."),
        { } term when term.Until - now < MasterKeySource.EndIsNear => Finding.Warn(
            Term,
            $"The certificate expires on {MasterKeySource.Shown(term.Until)}; from then on no server starts with it.",
            "Renew it with the same private key, or change over to another master key."),
        { } term => Finding.Ok(Term, $"The certificate is good until {MasterKeySource.Shown(term.Until)}."),
    };

    private MasterKey[] ReadPrevious(IEnumerable<MasterKeySource> sources, IHostEnvironment environment)
    {
        var keys = new List<MasterKey>();
        var faults = new List<string>();
        foreach (var source in sources)
        {
            try
            {
                keys.Add(source.ReadFor(environment));
            }
            catch (MasterKeyException error)
            {
                faults.Add(error.Message);
            }
        }

        _findings.Add(
            faults.Count > 0 ? Finding.Fail(
                Previous, string.Join(" ", faults), "Put the key in its place; or remove its setting, once nothing is sealed under it any more.")
            : keys.Count > 0 ? Finding.Ok(Previous, $"Open as well: {string.Join(", ", keys.Select(key => key.Id))}.")
            : Finding.Ok(Previous, "There is none."));
        return [.. keys];
    }
}
