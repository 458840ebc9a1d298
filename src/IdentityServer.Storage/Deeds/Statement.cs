using System.Data;
using System.Data.Common;
using System.Text.RegularExpressions;

namespace IdentityServer.Storage.Deeds;

/// <summary>
/// A statement of the busiest paths, written by hand: plain SQL that every database understands, names in double quotes, parameters
/// by name. The same goes for what is read at every start and every half second. Everything else goes through EF Core: its queries
/// cost some 40 kB of garbage each, its first one half a second.
/// </summary>
internal sealed partial class Statement
{
    public Statement(string text, params (string Name, DbType Type)[] parameters)
        : this(text, text, parameters)
    {
    }

    /// <summary>For the few things SQL Server has other words for.</summary>
    public Statement(string text, string sqlServer, params (string Name, DbType Type)[] parameters)
    {
        Text = text;
        Parameters = parameters;
        SqlServerText = Quoted.Replace(sqlServer, "[${name}]");
    }

    public string Text { get; }

    /// <summary>The same in SQL Server's own quotes: it reads the others only while a session setting says so.</summary>
    public string SqlServerText { get; }

    public IReadOnlyList<(string Name, DbType Type)> Parameters { get; }

    /// <summary>An insert of one row, if the condition holds.</summary>
    public static Statement Insert(string table, string? condition, params (string Name, DbType Type)[] columns) => new(
        $"INSERT INTO \"{table}\" ({string.Join(", ", columns.Select(column => $"\"{column.Name}\""))}) "
        + $"SELECT {string.Join(", ", columns.Select(column => $"@{column.Name}"))}"
        + (condition is null ? "" : $" WHERE {condition}"),
        columns);

    /// <summary>Gives the command its parameters, without values.</summary>
    public void Declare(DbCommand command)
    {
        foreach (var (name, type) in Parameters)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = $"@{name}";
            parameter.DbType = type;
            command.Parameters.Add(parameter);
        }
    }

    public static void Bind(DbCommand command, ReadOnlySpan<object?> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters[i].Value = values[i] ?? DBNull.Value;
        }
    }

    /// <summary>The text with PostgreSQL's numbered parameters, counted from <paramref name="first"/>.</summary>
    public string Numbered(int first) => Named.Replace(Text, match =>
    {
        for (var i = 0; i < Parameters.Count; i++)
        {
            if (Parameters[i].Name == match.Groups["name"].Value)
            {
                return $"${first + i}";
            }
        }

        throw new InvalidOperationException($"Parameter {match.Value} is not declared.");
    });

    [GeneratedRegex("\"(?<name>\\w+)\"", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Quoted { get; }

    [GeneratedRegex(@"@(?<name>\w+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Named { get; }
}

/// <summary>
/// A deed in one step: the first statement decides, by whether it changed a row; the inserts follow only then. Written in one
/// transaction, and on PostgreSQL in one round trip.
/// </summary>
internal sealed class ConditionalDeed
{
    public ConditionalDeed(Statement decide, params Statement[] inserts)
    {
        (Decide, Inserts) = (decide, inserts);
        PostgreSqlText = Compose(decide, inserts);
        Parameters = [.. decide.Parameters, .. inserts.SelectMany(insert => insert.Parameters)];
    }

    public Statement Decide { get; }

    public IReadOnlyList<Statement> Inserts { get; }

    /// <summary>Of the deciding statement, then of each insert: the order in which values are given.</summary>
    public IReadOnlyList<(string Name, DbType Type)> Parameters { get; }

    /// <summary>All of it as one statement whose result is the number of rows the first part changed.</summary>
    public string PostgreSqlText { get; }

    private static string Compose(Statement decide, Statement[] inserts)
    {
        var parts = new List<string> { $"decided AS ({decide.Numbered(1)} RETURNING 1)" };
        var first = 1 + decide.Parameters.Count;
        for (var i = 0; i < inserts.Length; i++)
        {
            parts.Add($"then{i} AS ({inserts[i].Numbered(first)} FROM decided)");
            first += inserts[i].Parameters.Count;
        }

        return $"WITH {string.Join(", ", parts)} SELECT count(*) FROM decided";
    }
}
