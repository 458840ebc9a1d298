namespace IdentityServer.Benchmarks;

internal static class Repository
{
    public static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "IdentityServer.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException("The repository's root was not found above the program.");
    }
}
