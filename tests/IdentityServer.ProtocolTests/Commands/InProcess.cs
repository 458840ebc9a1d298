using IdentityServer.Commands;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Commands;

/// <summary>For commands that end before they need a setting: the same code without a process.</summary>
internal static class InProcess
{
    public static Task<CommandResult> RunAsync(params string[] arguments) => RunWithInputAsync("", arguments);

    public static async Task<CommandResult> RunWithInputAsync(string input, params string[] arguments)
    {
        using var typed = new StringReader(input);
        using var output = new StringWriter();
        using var errors = new StringWriter();
        var terminal = new Terminal(typed, output, errors, isOutputTerminal: false, isInputTerminal: false);
        var exitCode = await CommandLine.RunAsync(arguments, terminal, TestContext.Current.CancellationToken);
        return new CommandResult(exitCode, output.ToString(), errors.ToString());
    }
}
