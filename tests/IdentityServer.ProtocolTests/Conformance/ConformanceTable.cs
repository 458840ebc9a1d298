using System.Reflection;
using System.Text;

namespace IdentityServer.ProtocolTests.Conformance;

/// <summary>Writes docs/conformance.md from the modules' attributes and from how they went.</summary>
public static class ConformanceTable
{
    private static readonly string[] _plans = [Plans.Basic, Plans.FormPost, Plans.Config, Plans.Logout];

    /// <summary>Every module class of this assembly.</summary>
    public static IReadOnlyList<(Type Class, ConformanceModuleAttribute Module)> Modules { get; } =
    [
        .. typeof(ConformanceTable).Assembly.GetTypes()
            .Select(type => (Class: type, Module: type.GetCustomAttribute<ConformanceModuleAttribute>()!))
            .Where(entry => entry.Module is not null)
            .OrderBy(entry => entry.Module.Name, StringComparer.Ordinal),
    ];

    public static string Write()
    {
        var text = new StringBuilder(
            """
            # OpenID conformance, module by module

            The OpenID Foundation's conformance suite tests a provider in *modules*, grouped in certification *plans*. Each module
            of the plans below has a test class of its name, which drives a real server over HTTP and applies the checks the
            suite makes in every module (`Check` in `tests/IdentityServer.Testing`).

            These are our own tests of what the suite describes: they are no certification, and the suite itself should be run
            against a deployment before one relies on it. One thing it will stumble over: this server asks every client for PKCE
            (RFC 9700), which most modules of the Basic plan do not send.

            This file is generated: `tests/run.sh ProtocolTests` fails when it is out of date, and
            `CONFORMANCE_WRITE=1 tests/run.sh ProtocolTests` writes it anew.

            *passed* as the suite expects · *passed (page)* we stay on our own error page, which a person reviews in the suite ·
            *not offered* the suite skips the module for servers without the feature; the test asserts its absence

            """);
        foreach (var plan in _plans)
        {
            text.Append('\n').Append("## ").Append(plan).Append("\n\n| module | result | expects |\n|---|---|---|\n");
            foreach (var (_, module) in Modules.Where(entry => BelongsTo(entry.Module, plan)))
            {
                text.Append("| `").Append(module.Name).Append("` | ").Append(ResultOf(module)).Append(" | ")
                    .Append(module.Expects).Append(" |\n");
            }
        }

        return text.ToString().ReplaceLineEndings("\n");
    }

    private static bool BelongsTo(ConformanceModuleAttribute module, string plan) =>
        module.Plan == plan || (plan == Plans.FormPost && module.Plan == Plans.Basic);

    private static string ResultOf(ConformanceModuleAttribute module) => ConformanceResults.Passed(module.Name) switch
    {
        false => "failed",
        null => "not run",
        true when module.NotOffered => "not offered",
        true when module.Reviewed => "passed (page)",
        true => "passed",
    };
}
