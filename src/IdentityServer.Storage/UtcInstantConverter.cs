using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace IdentityServer.Storage;

/// <summary>Instants are stored as UTC milliseconds since 1970, so that every database compares and indexes them alike.</summary>
internal sealed class UtcInstantConverter() : ValueConverter<DateTimeOffset, long>(
    instant => instant.ToUnixTimeMilliseconds(),
    milliseconds => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds));

/// <summary>Lengths of time are stored as milliseconds.</summary>
internal sealed class DurationConverter() : ValueConverter<TimeSpan, long>(
    duration => (long)duration.TotalMilliseconds,
    milliseconds => TimeSpan.FromMilliseconds(milliseconds));
