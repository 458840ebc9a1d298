using System.Diagnostics.CodeAnalysis;

namespace IdentityServer.Protocol.Keys;

/// <summary>Reads cron expressions; the host knows a library that does.</summary>
public interface ICronCalendar
{
    /// <summary>False, and a sentence for the operator, when the expression or the time zone (IANA) means nothing.</summary>
    bool TryParse(string expression, string timeZone, [NotNullWhen(false)] out string? problem);

    /// <summary>The first instant the expression names strictly after the given one; <see langword="null"/>: there is none.</summary>
    DateTimeOffset? Next(string expression, string timeZone, DateTimeOffset after);
}
