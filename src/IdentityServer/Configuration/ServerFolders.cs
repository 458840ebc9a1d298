using IdentityServer.Protocol.Clients;
using Microsoft.Extensions.FileProviders;

namespace IdentityServer.Configuration;

/// <summary>Where the server finds its files, from whatever folder it is started.</summary>
public static class ServerFolders
{
    private const string ProjectFile = "IdentityServer.csproj";
    private const string SolutionFile = "IdentityServer.sln";

    /// <summary>
    /// For the web host: the environment, and the content root when none was named: the project when started from its build
    /// output, otherwise the folder of the program.
    /// </summary>
    public static WebApplicationOptions HostOptions(string[] args) => new()
    {
        Args = args,
        ApplicationName = typeof(ServerFolders).Assembly.GetName().Name,
        EnvironmentName = EnvironmentName(),
        ContentRootPath = ContentRoot(args),
    };

    /// <summary>The same for commands that start no web host: configuration in the order that the web host reads it.</summary>
    public static HostApplicationBuilder CommandBuilder()
    {
        var configuration = new ConfigurationManager();
        configuration.AddEnvironmentVariables("DOTNET_");
        configuration.AddEnvironmentVariables("ASPNETCORE_");
        var environment = EnvironmentName();
        using var files = new PhysicalFileProvider(ContentRoot([]));
        configuration.AddJsonFile(files, "appsettings.json", optional: true, reloadOnChange: false);
        configuration.AddJsonFile(files, $"appsettings.{environment}.json", optional: true, reloadOnChange: false);
        configuration.AddEnvironmentVariables();
        return Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings
        {
            ApplicationName = typeof(ServerFolders).Assembly.GetName().Name,
            EnvironmentName = environment,
            ContentRootPath = files.Root,
            Configuration = configuration,
        });
    }

    /// <summary>The default folder of the SQLite file: beside the sources in a checkout, otherwise below the content root.</summary>
    public static string Data(IHostEnvironment environment) => Path.Combine(Home(environment), "data");

    /// <summary>The development master key's folder. Only Development reads a key from it.</summary>
    public static string DevelopmentKeys(IHostEnvironment environment) => Path.Combine(Home(environment), "keys-dev");

    // Nothing set means Production: what is safe needs no setting.
    private static string EnvironmentName() =>
        Environment.GetEnvironmentVariable("ASPNETCORE_ENVIRONMENT") is { Length: > 0 } web ? web
        : Environment.GetEnvironmentVariable("DOTNET_ENVIRONMENT") is { Length: > 0 } general ? general
        : Environments.Production;

    private static string ContentRoot(string[] args)
    {
        var given = new ConfigurationBuilder()
            .AddEnvironmentVariables("DOTNET_")
            .AddEnvironmentVariables("ASPNETCORE_")
            .AddCommandLine(args)
            .Build()[HostDefaults.ContentRootKey];
        if (given is { Length: > 0 })
        {
            return Directory.Exists(given)
                ? Path.GetFullPath(given)
                : throw new SettingsException([new(HostDefaults.ContentRootKey, $"is “{Identifiers.Shown(given)}”, which is no folder.")]);
        }

        // src/IdentityServer/bin/Debug/net10.0/ → src/IdentityServer/
        var program = AppContext.BaseDirectory;
        var project = Path.GetFullPath(Path.Combine(program, "..", "..", ".."));
        return File.Exists(Path.Combine(project, ProjectFile)) ? project : program;
    }

    private static string Home(IHostEnvironment environment)
    {
        var root = Path.GetFullPath(environment.ContentRootPath);
        var checkout = Path.GetFullPath(Path.Combine(root, "..", ".."));
        return environment.IsDevelopment()
            && File.Exists(Path.Combine(root, ProjectFile)) && File.Exists(Path.Combine(checkout, SolutionFile))
                ? checkout
                : root;
    }
}
