using System.Data;
using IdentityServer.Protocol.Audit;
using IdentityServer.Storage.Deeds;

namespace IdentityServer.Storage.Audit;

/// <summary>The event that goes with a deed on the busiest paths.</summary>
internal static class AuditStatements
{
    public static Statement Insert { get; } = Statement.Insert(
        "AuditEvents",
        condition: null,
        ("Type", DbType.String),
        ("At", DbType.Int64),
        ("Actor", DbType.String),
        ("Subject", DbType.String),
        ("ClientId", DbType.String),
        ("SessionId", DbType.String),
        ("GrantId", DbType.String),
        ("Address", DbType.String),
        ("Outcome", DbType.String),
        ("Detail", DbType.String));

    public static object?[] Values(AuditEvent audit)
    {
        var row = AuditLog.Bounded(audit);
        return
        [
            row.Type, Columns.Of(row.At), row.Actor, row.Subject, row.ClientId, row.SessionId, row.GrantId, row.Address, row.Outcome,
            row.Detail,
        ];
    }
}
