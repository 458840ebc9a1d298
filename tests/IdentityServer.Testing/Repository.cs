using System.Reflection;

namespace IdentityServer.Testing;

/// <summary>Where the sources are, for tests that read them.</summary>
public static class Repository
{
    public static string Root { get; } = Path.GetFullPath(Metadata("RepositoryRoot"));

    /// <summary>The built server program.</summary>
    public static string ServerProgram { get; } = Path.GetFullPath(Metadata("ServerProgram"));

    private static string Metadata(string name) => typeof(Repository).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>()
        .First(metadata => metadata.Key == name).Value!;
}
