using System.Diagnostics;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Documentation;

/// <summary>The files that a clone of the repository has, and those about to be added.</summary>
internal static class Sources
{
    private static readonly string[] BinaryEndings = [".png", ".pub", ".ico"];

    /// <summary>Paths within the repository.</summary>
    public static IReadOnlyList<string> Files { get; } = List();

    /// <summary>Those that hold text.</summary>
    public static IEnumerable<string> TextFiles => Files.Where(file => !BinaryEndings.Contains(Path.GetExtension(file)));

    public static string Read(string file) => File.ReadAllText(Path.Combine(Repository.Root, file));

    private static string[] List()
    {
        var start = new ProcessStartInfo("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        {
            WorkingDirectory = Repository.Root,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        using var git = Process.Start(start)!;
        var files = git.StandardOutput.ReadToEnd().Split('\0', StringSplitOptions.RemoveEmptyEntries);
        git.WaitForExit();
        Assert.Equal(0, git.ExitCode);
        return [.. files.Where(file => File.Exists(Path.Combine(Repository.Root, file)))];
    }
}
