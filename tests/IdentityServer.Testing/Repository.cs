using System.Reflection;

namespace IdentityServer.Testing;

/// <summary>Where the sources are, for tests that read them.</summary>
public static class Repository
{
    public static string Root { get; } = Path.GetFullPath(Metadata("RepositoryRoot"));

    /// <summary>The built server program.</summary>
    public static string ServerProgram { get; } = Path.GetFullPath(Metadata("ServerProgram"));

    /// <summary>How this was built: <c>Debug</c> or <c>Release</c>.</summary>
    public static string Configuration { get; } = Metadata("Configuration");

    private static string Metadata(string name) => typeof(Repository).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>()
        .First(metadata => metadata.Key == name).Value!;
}
