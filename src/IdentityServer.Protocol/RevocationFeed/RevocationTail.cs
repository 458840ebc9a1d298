using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Revocations;

namespace IdentityServer.Protocol.RevocationFeed;

/// <summary>
/// The latest revocations in memory, the same for every stream: a ring in which each stream keeps its own place. Whoever is so slow that
/// the ring overtakes them has to come back with their cursor.
/// </summary>
public sealed class RevocationTail : IChangeListener
{
    internal const int Size = 32 * 1024;

    private readonly Lock _gate = new();
    private readonly Revocation[] _ring = new Revocation[Size];

    // Counts on for ever; what is in the ring are the last Size of them, but nothing before the last load.
    private long _end;
    private long _begin;

    /// <summary>The place behind the last one.</summary>
    internal long End
    {
        get
        {
            lock (_gate)
            {
                return _end;
            }
        }
    }

    /// <summary>Loading means that changes may have been missed: every stream that was open has a gap.</summary>
    public ValueTask LoadAsync(CancellationToken ct)
    {
        lock (_gate)
        {
            _begin = ++_end;
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask ApplyAsync(IReadOnlyList<Change> changes, CancellationToken ct)
    {
        lock (_gate)
        {
            foreach (var change in changes.Where(change => change.Kind == ChangeKind.Revocation))
            {
                _ring[_end++ % Size] = RevocationList.Parse(change.Key);
            }
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>What came since the place, which moves on; <see langword="null"/> when some of it is gone.</summary>
    internal IReadOnlyList<Revocation>? Read(ref long place)
    {
        lock (_gate)
        {
            if (place < _begin || _end - place > Size)
            {
                return null;
            }

            var fresh = new Revocation[_end - place];
            for (var i = 0; i < fresh.Length; i++)
            {
                fresh[i] = _ring[(place + i) % Size];
            }

            place = _end;
            return fresh;
        }
    }
}
