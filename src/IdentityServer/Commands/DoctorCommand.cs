using System.CommandLine;
using IdentityServer.Doctor;

namespace IdentityServer.Commands;

/// <summary><c>doctor</c></summary>
internal sealed class DoctorCommand : Command
{
    private readonly Terminal _terminal;

    public DoctorCommand(Terminal terminal)
        : base("doctor", "Look at everything the server needs, and say how to mend what is wrong. Changes nothing.")
    {
        _terminal = terminal;
        var json = CommonOptions.Json();
        Add(json);
        SetAction((parsed, ct) => RunAsync(parsed.GetValue(json), ct));
    }

    private async Task<int> RunAsync(bool json, CancellationToken ct)
    {
        var findings = await Examination.RunAsync(ct);
        if (json)
        {
            _terminal.WriteJsonArray(findings, (writer, finding) =>
            {
                writer.WriteStartObject();
                writer.WriteString("check", finding.Check);
                writer.WriteString("result", Word(finding.Result));
                writer.WriteString("detail", finding.Detail);
                writer.WriteString("mend", finding.Mend);
                writer.WriteEndObject();
            });
        }
        else
        {
            _terminal.WriteTable(
                "Nothing was looked at.",
                ["Check", "Result", "Detail", "To mend it"],
                findings.Select(finding => new[] { finding.Check, Word(finding.Result), finding.Detail, finding.Mend ?? "" }));
            var failed = findings.Count(finding => finding.Result == FindingResult.Fail);
            var warned = findings.Count(finding => finding.Result == FindingResult.Warn);
            _terminal.Say(failed + warned == 0 ? "Everything is as it should be." : $"{failed} failed, {warned} to look at.");
        }

        return findings.Any(finding => finding.Result == FindingResult.Fail) ? ExitCodes.Refused : ExitCodes.Done;
    }

    private static string Word(FindingResult result) => result.ToString().ToLowerInvariant();
}
