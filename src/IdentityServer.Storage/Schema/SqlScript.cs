using System.Reflection;

namespace IdentityServer.Storage.Schema;

/// <summary>A script that travels inside a migrations assembly beside the migration that runs it.</summary>
public static class SqlScript
{
    /// <summary>Its statements: a line <c>--;;</c> stands before each.</summary>
    /// <param name="migrations">The assembly.</param>
    /// <param name="migration">The migration's id; the script is called the same.</param>
    public static IReadOnlyList<string> Statements(Assembly migrations, string migration)
    {
        using var stream = migrations.GetManifestResourceStream($"{migration}.sql")
            ?? throw new InvalidOperationException($"{migrations.GetName().Name} has no script {migration}.sql.");
        using var reader = new StreamReader(stream);
        return [.. reader.ReadToEnd().ReplaceLineEndings("\n").Split("\n--;;\n")[1..]];
    }
}
