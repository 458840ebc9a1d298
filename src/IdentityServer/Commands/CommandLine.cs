using System.CommandLine;
using System.Globalization;
using IdentityServer.Configuration;
using IdentityServer.Doctor;
using IdentityServer.Keys;
using IdentityServer.Protocol.Keys;

namespace IdentityServer.Commands;

/// <summary>The command line, from its arguments to its exit code. A person never sees a stack trace for what they can mend themselves.</summary>
internal static class CommandLine
{
    // What `dotnet run` passes (IdentityServer.csproj): from the sources, Development is what one means. The program itself defaults to Production.
    private const string FromSources = "[from-sources]";

    public static async Task<int> RunAsync(string[] args, Terminal terminal, CancellationToken ct)
    {
        if (args is [FromSources, .. var rest])
        {
            DefaultToDevelopment();
            args = rest;
        }

        // Our messages are English; the parser's shall be so too.
        CultureInfo.CurrentUICulture = CultureInfo.InvariantCulture;
        var parsed = Root(terminal).Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0 && parsed.Action is not System.CommandLine.Help.HelpAction)
        {
            foreach (var error in parsed.Errors)
            {
                terminal.Hint(error.Message);
            }

            terminal.Hint($"Try: {PathOf(parsed)} --help");
            return ExitCodes.Usage;
        }

        try
        {
            var invocation = new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
                Output = terminal.Output,
                Error = terminal.Errors,
            };
            return await parsed.InvokeAsync(invocation, ct);
        }
        catch (Exception error)
        {
            var (code, message) = Explain(error);
            terminal.Hint(message);
            return code;
        }
    }

    internal static RootCommand Root(Terminal terminal)
    {
        var serve = new ServeCommand(terminal);
        var root = new RootCommand("IdentityServer: an OpenID Connect provider. Without a command it serves.")
        {
            serve,
            new MigrateCommands(terminal),
            new KeyCommands(terminal),
            new UserCommands(terminal),
            EndingCommands.Sessions(terminal),
            EndingCommands.Grants(terminal),
            new ClientCommands(terminal),
            new ScopeCommands(terminal),
            new ApiCommands(terminal),
            new MailCommands(terminal),
            new LogoutCommands(terminal),
            new DoctorCommand(terminal),
        };
        root.Action = serve.Action;
        return root;
    }

    private static string PathOf(ParseResult parsed)
    {
        var names = new List<string>();
        for (var command = parsed.CommandResult; command is not null; command = command.Parent as System.CommandLine.Parsing.CommandResult)
        {
            names.Insert(0, command.Command is RootCommand ? "identityserver" : command.Command.Name);
        }

        return string.Join(' ', names);
    }

    private static (int Code, string Message) Explain(Exception error) => error switch
    {
        CommandException refused => (refused.ExitCode, refused.Message),
        SettingsException => (ExitCodes.Usage, error.Message),
        StartException => (ExitCodes.Database, error.Message),
        MasterKeyException or KeysUnreadableException => (ExitCodes.MasterKey, error.Message),
        _ when DatabaseChecks.FaultOf(error) is { } fault => (ExitCodes.Database, $"The database cannot be used: {fault}"),
        OperationCanceledException => (ExitCodes.Fault, "Stopped."),
        _ => (ExitCodes.Fault, $"This should not have happened; please report it: {error}"),
    };

    private static void DefaultToDevelopment()
    {
        const string Variable = "ASPNETCORE_ENVIRONMENT";
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(Variable))
            && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("DOTNET_ENVIRONMENT")))
        {
            Environment.SetEnvironmentVariable(Variable, Environments.Development);
        }
    }
}
