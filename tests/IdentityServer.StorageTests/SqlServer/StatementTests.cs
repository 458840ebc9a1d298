using System.Reflection;
using System.Text.RegularExpressions;
using IdentityServer.Storage;
using IdentityServer.Storage.Cleanup;
using IdentityServer.StorageTests.Schema;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.SqlServer.TransactSql.ScriptDom;

namespace IdentityServer.StorageTests.SqlServer;

/// <summary>
/// No SQL Server is needed for these: what the contracts make the SQL Server provider say is read by Microsoft's own parser, and held
/// against the tables and columns that the migration script creates. Whether a SQL Server would answer as hoped is for the live run.
/// </summary>
public sealed partial class StatementTests
{
    private static readonly Lazy<Task<IReadOnlyCollection<string>>> Captured = new(CaptureAsync);

    [Fact]
    public void The_migration_script_is_valid_and_compares_every_identifier_by_its_bits()
    {
        var tables = Tables(Script());

        Assert.Contains("Tokens", tables.Keys);

        // Quartz's tables are its own matter: nobody outside chooses what stands in them.
        var strings = tables.Where(table => !table.Key.StartsWith("QRTZ_", StringComparison.Ordinal))
            .SelectMany(table => table.Value.Values)
            .Where(column => column.DataType is SqlDataTypeReference { SqlDataTypeOption: SqlDataTypeOption.VarChar or SqlDataTypeOption.NVarChar } type
                && type.Parameters is [IntegerLiteral]);
        Assert.All(
            strings.Where(column => column.ColumnIdentifier.Value is not ("Type" or "TokenFormat" or "MigrationId" or "ProductVersion")),
            column => Assert.Equal("Latin1_General_100_BIN2", column.Collation?.Value));
    }

    [Fact]
    public async Task Every_statement_of_the_contracts_is_valid_and_names_what_exists()
    {
        var statements = await Captured.Value;
        var tables = Tables(Script());

        Assert.All(statements, statement => Assert.Empty(new NameCheck(tables).Run(Parse(statement))));
    }

    [Fact]
    public async Task Every_table_is_written_and_read_through_the_sql_server_provider()
    {
        var statements = await Captured.Value;
        var touched = statements.SelectMany(statement => Touch.Matches(statement.Replace($" TOP ({ExpiredRows.BatchSize})", "", StringComparison.Ordinal)))
            .Select(match => $"{match.Groups["verb"].Value} {match.Groups["table"].Value}")
            .ToHashSet(StringComparer.Ordinal);

        string[] expected =
        [
            .. Each("INSERT INTO", "Clients", "UsedValues", "Scopes", "Apis", "Sessions", "Consents", "Grants", "Tokens", "Revocations",
                "SigningKeys", "KeyActivations", "KeyPlans", "Changes", "AuditEvents", "PendingRequests", "SetupLinks", "DataProtectionKeys",
                "JobRuns", "Users", "Roles", "UserRoles"),
            .. Each("INSERT INTO", "Passkeys", "Ceremonies"),
            .. Each("UPDATE", "Passkeys", "Ceremonies"),
            .. Each("DELETE FROM", "Passkeys"),
            .. Each("FROM", "Passkeys", "Ceremonies"),
            .. Each("INSERT INTO", "OutboxMails", "MailLinks", "LogoutNotices"),
            .. Each("UPDATE", "OutboxMails", "MailLinks", "LogoutNotices", "Receipts"),
            .. Each("FROM", "OutboxMails", "MailLinks", "LogoutNotices", "Receipts"),
            .. Each("UPDATE", "Clients", "Sessions", "Consents", "Grants", "Tokens", "PendingRequests", "KeyFetches", "KeyUses",
                "KeyPlans", "KeyActivations", "SigningKeys", "DataProtectionKeys"),
            .. Each("DELETE FROM", "Clients", "PendingRequests", "KeyUses", "KeyActivations", "Tokens", "UsedValues", "Revocations",
                "SetupLinks", "Grants", "Sessions", "Changes", "JobRuns"),
            .. Each("FROM", "Clients", "Scopes", "Apis", "Sessions", "Consents", "Grants", "Tokens", "Revocations", "SigningKeys", "Changes",
                "AuditEvents", "PendingRequests", "SetupLinks", "DataProtectionKeys", "JobRuns", "Users", "Roles", "UserRoles"),
        ];
        Assert.Empty(expected.Except(touched));

        static IEnumerable<string> Each(string verb, params string[] names) => names.Select(name => $"{verb} {name}");
    }

    /// <summary>Runs every contract on the stand-in. That it then finds its expectations unmet is no matter here.</summary>
    private static async Task<IReadOnlyCollection<string>> CaptureAsync()
    {
        var statements = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (rows, exists) in new[] { (true, true), (true, false), (false, true), (false, false) })
        {
            foreach (var contract in typeof(Contract).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(Contract))
                // Making a database needs a server that can.
                && type != typeof(DatabaseSchemaContract)))
            {
                foreach (var test in contract.GetMethods().Where(method =>
                    method.GetCustomAttribute<TheoryAttribute>() is not null
                    && method.GetParameters() is [{ ParameterType: var parameter }] && parameter == typeof(DatabaseProvider)))
                {
                    var capture = new StatementCapture(rows, exists);
                    StatementCapture.Current = capture;
                    await Record.ExceptionAsync(() => (Task)test.Invoke(Activator.CreateInstance(contract), [DatabaseProvider.SqlServer])!);
                    StatementCapture.Current = null;
                    statements.UnionWith(capture.Statements.Keys);
                }
            }
        }

        Assert.NotEmpty(statements);
        return statements;
    }

    private static string Script()
    {
        var builder = StorageServices.Configure(
            new DbContextOptionsBuilder<ServerDb>(), new StorageOptions(DatabaseProvider.SqlServer, "Server=nowhere"));
        using var db = new ServerDb((DbContextOptions<ServerDb>)builder.Options);
        return db.GetService<IMigrator>().GenerateScript();
    }

    private static TSqlFragment Parse(string statement)
    {
        using var reader = new StringReader(statement);
        var fragment = new TSql150Parser(initialQuotedIdentifiers: true).Parse(reader, out var errors);
        Assert.True(errors.Count == 0, $"{string.Join("; ", errors.Select(error => error.Message))} in:\n{statement}");
        return fragment;
    }

    private static Dictionary<string, Dictionary<string, ColumnDefinition>> Tables(string script)
    {
        var tables = new TableCollector();
        Parse(script).Accept(tables);
        return tables.Found;
    }

    [GeneratedRegex(@"(?<verb>INSERT INTO|DELETE FROM|UPDATE|FROM|JOIN) \[(?<table>\w+)\]", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex TouchPattern { get; }

    // EF Core writes UPDATE [t] … FROM [Table] AS [t]: such an update counts for the table behind the alias.
    private static class Touch
    {
        public static IEnumerable<Match> Matches(string statement) => TouchPattern.Matches(Unalias(statement));

        private static string Unalias(string statement)
        {
            foreach (Match alias in AliasPattern.Matches(statement))
            {
                statement = statement
                    .Replace($"UPDATE [{alias.Groups["alias"].Value}]", $"UPDATE [{alias.Groups["table"].Value}]", StringComparison.Ordinal)
                    .Replace($"DELETE FROM [{alias.Groups["alias"].Value}]", $"DELETE FROM [{alias.Groups["table"].Value}]", StringComparison.Ordinal);
            }

            return statement;
        }
    }

    [GeneratedRegex(@"(FROM|JOIN) \[(?<table>\w+)\] AS \[(?<alias>\w+)\]", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex AliasPattern { get; }

    private sealed class TableCollector : TSqlFragmentVisitor
    {
        public Dictionary<string, Dictionary<string, ColumnDefinition>> Found { get; } = new(StringComparer.Ordinal);

        public override void Visit(CreateTableStatement node) => Found[node.SchemaObjectName.BaseIdentifier.Value] =
            node.Definition.ColumnDefinitions.ToDictionary(column => column.ColumnIdentifier.Value, StringComparer.Ordinal);

        public override void Visit(AlterTableAddTableElementStatement node)
        {
            foreach (var column in node.Definition.ColumnDefinitions)
            {
                Found[node.SchemaObjectName.BaseIdentifier.Value].Add(column.ColumnIdentifier.Value, column);
            }
        }

        public override void Visit(AlterTableDropTableElementStatement node)
        {
            foreach (var element in node.AlterTableDropTableElements.Where(element => element.TableElementType == TableElementType.Column))
            {
                Found[node.SchemaObjectName.BaseIdentifier.Value].Remove(element.Name.Value);
            }
        }
    }

    /// <summary>Finds names of tables and columns that the schema does not have.</summary>
    private sealed class NameCheck(Dictionary<string, Dictionary<string, ColumnDefinition>> tables) : TSqlFragmentVisitor
    {
        private readonly Dictionary<string, HashSet<string>> _aliases = new(StringComparer.Ordinal);
        private readonly List<(string? Alias, string Column)> _columns = [];
        private readonly List<string> _unknown = [];
        private readonly HashSet<string> _pending = new(StringComparer.Ordinal);

        public IReadOnlyList<string> Run(TSqlFragment fragment)
        {
            fragment.Accept(this);
            foreach (var (alias, column) in _columns)
            {
                var known = alias is not null && _aliases.TryGetValue(alias, out var columns)
                    ? columns.Contains(column) || columns.Contains("*")
                    : _aliases.Values.Any(any => any.Contains(column) || any.Contains("*"));
                if (!known)
                {
                    _unknown.Add($"column {alias}.{column}");
                }
            }

            return _unknown;
        }

        public override void Visit(NamedTableReference node)
        {
            var name = node.SchemaObject.BaseIdentifier.Value;
            if (tables.TryGetValue(name, out var columns))
            {
                Know(node.Alias?.Value ?? name, columns.Keys);
            }
            else if (!_aliases.ContainsKey(name) && !name.StartsWith('@'))
            {
                // UPDATE [t] … FROM [Table] AS [t] names the alias before it is declared.
                _pending.Add(name);
            }
        }

        public override void ExplicitVisit(TSqlScript node)
        {
            base.ExplicitVisit(node);
            _unknown.AddRange(_pending.Except(_aliases.Keys).Select(name => $"table {name}"));
        }

        public override void Visit(QueryDerivedTable node) => Know(node.Alias.Value, ["*"]);

        public override void Visit(InlineDerivedTable node) => Know(node.Alias.Value, node.Columns.Select(column => column.Value));

        public override void Visit(SchemaObjectFunctionTableReference node) => Know(node.Alias.Value, ["*"]);

        public override void Visit(OpenJsonTableReference node) => Know(node.Alias.Value, ["*"]);

        public override void Visit(VariableTableReference node) => Know(node.Alias?.Value ?? node.Variable.Name, ["*"]);

        public override void Visit(ColumnReferenceExpression node)
        {
            if (node.MultiPartIdentifier?.Identifiers is { } parts)
            {
                var alias = parts.Count > 1 ? parts[^2].Value : null;
                if (alias is not ("INSERTED" or "DELETED"))
                {
                    _columns.Add((alias, parts[^1].Value));
                }
            }
        }

        private void Know(string alias, IEnumerable<string> columns)
        {
            if (!_aliases.TryGetValue(alias, out var known))
            {
                _aliases[alias] = known = new(StringComparer.Ordinal);
            }

            known.UnionWith(columns);
        }
    }
}
