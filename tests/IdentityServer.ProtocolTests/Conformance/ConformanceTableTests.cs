using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Conformance;

/// <summary>Runs after every other collection (see <see cref="Afterwards"/>), when the modules' results are known.</summary>
[Collection(nameof(Afterwards))]
public sealed class ConformanceTableTests
{
    private static string File { get; } = Path.Combine(Repository.Root, "docs", "conformance.md");

    [Fact]
    public void Every_module_has_a_class_of_its_name() => Assert.All(ConformanceTable.Modules, entry =>
        Assert.Equal(entry.Module.Name.Replace("-", "", StringComparison.Ordinal), entry.Class.Name, ignoreCase: true));

    [Fact]
    public async Task The_table_in_the_documentation_is_up_to_date()
    {
        var ct = TestContext.Current.CancellationToken;
        var table = ConformanceTable.Write();
        if (Environment.GetEnvironmentVariable("CONFORMANCE_WRITE") == "1")
        {
            await System.IO.File.WriteAllTextAsync(File, table, ct);
        }

        // Alone, without the modules' results, the test has nothing to compare.
        if (ConformanceTable.Modules.Any(entry => ConformanceResults.Passed(entry.Module.Name) is not null))
        {
            Assert.Equal(table, await System.IO.File.ReadAllTextAsync(File, ct));
        }
    }
}

/// <summary>Collections that do not run in parallel run after those that do.</summary>
[CollectionDefinition(nameof(Afterwards), DisableParallelization = true)]
public sealed class Afterwards;
