namespace IdentityServer.Commands;

/// <summary>How a command ends; scripts rely on these (docs/command-line.md).</summary>
internal static class ExitCodes
{
    public const int Done = 0;

    /// <summary>Understood, but not done: the name is taken, there is no such client, a rule forbids it; for <c>doctor</c>, something failed.</summary>
    public const int Refused = 1;

    /// <summary>Not understood: wrong options, or wrong settings.</summary>
    public const int Usage = 2;

    /// <summary>The database cannot be reached, or its schema is not this server's.</summary>
    public const int Database = 3;

    /// <summary>The master key is missing, damaged, or not the one that sealed the keys.</summary>
    public const int MasterKey = 4;

    /// <summary>A fault of this program.</summary>
    public const int Fault = 70;
}

/// <summary>Ends a command with a code and a message for the person.</summary>
internal sealed class CommandException(int exitCode, string message) : Exception(message)
{
    public int ExitCode { get; } = exitCode;

    public static CommandException Refused(string message) => new(ExitCodes.Refused, message);

    public static CommandException Usage(string message) => new(ExitCodes.Usage, message);
}
