using System.Collections;
using System.Collections.Concurrent;
using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using IdentityServer.Storage;
using IdentityServer.Storage.Deeds;
using Microsoft.Data.SqlClient;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.StorageTests.SqlServer;

/// <summary>
/// Stands in for a SQL Server: notes every statement the SQL Server provider sends and executes none. Whether it answers with a row,
/// and whether it says that something exists, is fixed for each run.
/// </summary>
internal sealed partial class StatementCapture(bool rows, bool exists)
{
    private static readonly AsyncLocal<StatementCapture?> Ambient = new();

    /// <summary>The capture under which storage is opened in this flow of control, if any.</summary>
    public static StatementCapture? Current
    {
        get => Ambient.Value;
        set => Ambient.Value = value;
    }

    public ConcurrentDictionary<string, byte> Statements { get; } = new(StringComparer.Ordinal);

    public bool Rows => rows;

    public bool Exists => exists;

    public void Attach(IServiceCollection services)
    {
        services.ConfigureDbContext<ServerDb>(builder => builder.UseSqlServer(new Connection(this)));
        services.AddSingleton(new Connections(DatabaseProvider.SqlServer, () => new Connection(this)));
    }

    public void Note(string statement) => Statements.TryAdd(statement, 0);

    private sealed class Connection(StatementCapture capture) : DbConnection
    {
        [AllowNull]
        public override string ConnectionString { get; set; } = "Server=nowhere";

        public override string Database => "nothing";

        public override string DataSource => "nowhere";

        public override string ServerVersion => "16.00.0000";

        public override ConnectionState State => ConnectionState.Open;

        public override void ChangeDatabase(string databaseName)
        {
        }

        public override void Open()
        {
        }

        public override void Close()
        {
        }

        protected override DbTransaction BeginDbTransaction(IsolationLevel isolationLevel) => new Transaction(this);

        protected override DbCommand CreateDbCommand() => new Command(capture, this);
    }

    private sealed class Transaction(DbConnection connection) : DbTransaction
    {
        public override IsolationLevel IsolationLevel => IsolationLevel.ReadCommitted;

        public override bool SupportsSavepoints => true;

        protected override DbConnection DbConnection => connection;

        public override void Commit()
        {
        }

        public override void Rollback()
        {
        }

        public override void Save(string savepointName)
        {
        }

        public override void Rollback(string savepointName)
        {
        }

        public override void Release(string savepointName)
        {
        }
    }

    private sealed class Command(StatementCapture capture, DbConnection connection) : DbCommand
    {
        // Only a SqlCommand may hold SqlParameters, and the provider's type mappings expect those.
        private readonly SqlCommand _parameters = new();

        [AllowNull]
        public override string CommandText { get; set; } = "";

        public override int CommandTimeout { get; set; }

        public override CommandType CommandType { get; set; } = CommandType.Text;

        public override bool DesignTimeVisible { get; set; }

        public override UpdateRowSource UpdatedRowSource { get; set; }

        protected override DbConnection? DbConnection { get; set; } = connection;

        protected override DbParameterCollection DbParameterCollection => _parameters.Parameters;

        protected override DbTransaction? DbTransaction { get; set; }

        public override void Cancel()
        {
        }

        public override int ExecuteNonQuery()
        {
            capture.Note(CommandText);
            return capture.Rows ? 1 : 0;
        }

        public override object? ExecuteScalar()
        {
            capture.Note(CommandText);
            return capture.Rows ? 1 : null;
        }

        public override void Prepare()
        {
        }

        protected override DbParameter CreateDbParameter() => new SqlParameter();

        protected override DbDataReader ExecuteDbDataReader(CommandBehavior behavior)
        {
            capture.Note(CommandText);
            return new Reader(CommandText, capture.Rows, capture.Exists);
        }

        protected override void Dispose(bool disposing)
        {
            _parameters.Dispose();
            base.Dispose(disposing);
        }
    }

    /// <summary>One row of plausible values, or none, for every result.</summary>
    private sealed partial class Reader(string statement, bool some, bool exists) : DbDataReader
    {
        private readonly bool _rows = some || statement.StartsWith("SELECT CASE", StringComparison.Ordinal);
        private readonly string[] _columns = [.. SelectedColumn.Matches(statement).Select(match => match.Groups[1].Value)];
        private bool _read;

        public override int Depth => 0;

        public override int FieldCount => 64;

        public override bool HasRows => _rows;

        public override bool IsClosed => false;

        public override int RecordsAffected => _rows ? 1 : 0;

        public override object this[int ordinal] => GetValue(ordinal);

        public override object this[string name] => 1;

        public override bool Read() => _rows && !_read && (_read = true);

        // A batch of changes asks for as many results as it has statements.
        public override bool NextResult()
        {
            _read = false;
            return true;
        }

        public override bool IsDBNull(int ordinal) => false;

        public override bool GetBoolean(int ordinal) => exists;

        public override byte GetByte(int ordinal) => 1;

        public override long GetBytes(int ordinal, long dataOffset, byte[]? buffer, int bufferOffset, int length) => 0;

        public override char GetChar(int ordinal) => 'x';

        public override long GetChars(int ordinal, long dataOffset, char[]? buffer, int bufferOffset, int length) => 0;

        public override string GetDataTypeName(int ordinal) => "int";

        public override DateTime GetDateTime(int ordinal) => default;

        public override decimal GetDecimal(int ordinal) => 1;

        public override double GetDouble(int ordinal) => 1;

        public override IEnumerator GetEnumerator() => Array.Empty<object>().GetEnumerator();

        [return: DynamicallyAccessedMembers(
            DynamicallyAccessedMemberTypes.PublicFields | DynamicallyAccessedMemberTypes.PublicProperties)]
        public override Type GetFieldType(int ordinal) => typeof(int);

        public override float GetFloat(int ordinal) => 1;

        public override Guid GetGuid(int ordinal) => Guid.Empty;

        public override short GetInt16(int ordinal) => 1;

        public override int GetInt32(int ordinal) => 1;

        public override long GetInt64(int ordinal) => 1;

        public override string GetName(int ordinal) => "x";

        public override int GetOrdinal(string name) => 0;

        public override object GetValue(int ordinal) => 1;

        public override int GetValues(object[] values) => 0;

        public override T GetFieldValue<T>(int ordinal) => typeof(T) == typeof(byte[]) ? (T)(object)Array.Empty<byte>() : default!;

        public override string GetString(int ordinal) => (ordinal < _columns.Length ? _columns[ordinal] : "") switch
        {
            "Type" => "Web",
            "TokenFormat" => "Jwt",
            "Parameters" or "MoreClaims" => "{}",
            "Xml" => "<x/>",
            "Kind" or "Id" or "Name" or "Key" or "Hash" => "x",
            _ => "[]",
        };

        // Column names of the outermost SELECT, near enough for choosing a value.
        [GeneratedRegex(@"\[\w+\]\.\[(\w+)\](?=,|\s+AS|\s+FROM|\r|\n)", RegexOptions.ExplicitCapture, 1000)]
        private static partial Regex Selected { get; }

        private static Regex SelectedColumn => Selected;
    }
}
