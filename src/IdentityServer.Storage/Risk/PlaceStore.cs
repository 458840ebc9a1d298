using System.Data;
using System.Data.Common;
using IdentityServer.Storage.Deeds;

namespace IdentityServer.Storage.Risk;

internal sealed class PlaceStore(IStatements statements, IDeeds deeds) : IPlaces
{
    private const string Page = """
        "Subject", "Network", "FirstSeenAt", "LastSeenAt", "Country", "Latitude", "Longitude" FROM "Places" WHERE "Subject" = @Subject
        ORDER BY "LastSeenAt" DESC, "Network"
        """;

    private static readonly Statement OfPerson = new(
        $"SELECT {Page} LIMIT 50", $"SELECT TOP (50) {Page}", ("Subject", DbType.AnsiString));

    private static readonly Statement Move = new(
        """
        UPDATE "Places" SET "LastSeenAt" = @LastSeenAt, "Country" = @Country, "Latitude" = @Latitude, "Longitude" = @Longitude
        WHERE "Subject" = @Subject AND "Network" = @Network
        """,
        ("LastSeenAt", DbType.Int64),
        ("Country", DbType.AnsiString),
        ("Latitude", DbType.Double),
        ("Longitude", DbType.Double),
        ("Subject", DbType.AnsiString),
        ("Network", DbType.AnsiString));

    private static readonly ConditionalDeed Add = new(Statement.Insert(
        "Places",
        condition: null,
        ("Subject", DbType.AnsiString),
        ("Network", DbType.AnsiString),
        ("FirstSeenAt", DbType.Int64),
        ("LastSeenAt", DbType.Int64),
        ("Country", DbType.AnsiString),
        ("Latitude", DbType.Double),
        ("Longitude", DbType.Double)));

    public ValueTask<IReadOnlyList<Place>> ListAsync(string subject, CancellationToken ct) => statements.ListAsync(
        OfPerson,
        [subject],
        reader => new Place
        {
            Subject = reader.GetString(0),
            Network = reader.GetString(1),
            FirstSeenAt = reader.Instant(2),
            LastSeenAt = reader.Instant(3),
            Country = reader.TextOrNull(4),
            Latitude = reader.IsDBNull(5) ? null : reader.GetDouble(5),
            Longitude = reader.IsDBNull(6) ? null : reader.GetDouble(6),
        },
        ct);

    public async ValueTask SeenAsync(Place place, CancellationToken ct)
    {
        object?[] position = [place.Country, place.Latitude, place.Longitude];
        if (await MoveAsync())
        {
            return;
        }

        try
        {
            await deeds.DecideAsync(
                Add,
                [place.Subject, place.Network, Deeds.Columns.Of(place.FirstSeenAt), Deeds.Columns.Of(place.LastSeenAt), .. position],
                ct);
        }
        catch (DbException error) when (UniqueViolation.Is(error))
        {
            // Another sign-in from there came between the two.
            await MoveAsync();
        }

        async ValueTask<bool> MoveAsync() => await deeds.ExecuteAsync(
            Move, [Deeds.Columns.Of(place.LastSeenAt), .. position, place.Subject, place.Network], ct) == 1;
    }
}
