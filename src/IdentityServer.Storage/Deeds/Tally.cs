using System.Data.Common;

namespace IdentityServer.Storage.Deeds;

/// <summary>Adds to a row of counts, or begins it. Written by hand: it goes on in every idle server, and must not wake EF Core.</summary>
internal sealed class Tally(Statement add, Statement begin)
{
    private readonly ConditionalDeed _add = new(add);
    private readonly ConditionalDeed _begin = new(begin);

    public async Task AddAsync(IDeeds deeds, object?[] toAdd, object?[] toBegin, CancellationToken ct)
    {
        if (await deeds.DecideAsync(_add, toAdd, ct))
        {
            return;
        }

        try
        {
            await deeds.DecideAsync(_begin, toBegin, ct);
        }
        catch (DbException error) when (UniqueViolation.Is(error))
        {
            // Another node began it between the two.
            await deeds.DecideAsync(_add, toAdd, ct);
        }
    }
}
