using System.Reflection;
using IdentityServer.Storage;
using IdentityServer.Storage.Schema;
using Quartz;

namespace IdentityServer.StorageTests.Jobs;

/// <summary>Quartz brings no migrations. When a newer one wants other tables, this fails, and a migration of ours has to follow.</summary>
public sealed class QuartzTablesTests
{
    [Theory]
    [InlineData(DatabaseProvider.Sqlite, "sqlite")]
    [InlineData(DatabaseProvider.PostgreSql, "postgres")]
    [InlineData(DatabaseProvider.SqlServer, "sqlServer")]
    public void The_migration_makes_the_tables_of_the_quartz_that_is_referenced(DatabaseProvider provider, string script)
    {
        using var stream = typeof(IScheduler).Assembly.GetManifestResourceStream($"Quartz.Impl.AdoJobStore.Schema.create_{script}.sql")!;
        using var reader = new StreamReader(stream);
        var theirs = reader.ReadToEnd().ReplaceLineEndings("\n")
            .Replace("{0}", "QRTZ_", StringComparison.Ordinal)
            .Replace("{1}", "QRTZ_", StringComparison.Ordinal)
            .Split("\n--;;\n")[1..];

        var ours = SqlScript.Statements(Assembly.Load($"IdentityServer.Migrations.{provider}"), "20261122010000_Jobs");

        Assert.Equal(theirs.Select(statement => statement.Trim()), ours.Select(statement => statement.Trim()));
    }
}
