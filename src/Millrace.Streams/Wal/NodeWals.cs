using Millrace.Runtime;

namespace Millrace.Streams.Wal;

/// <summary>
/// The WALs that one incarnation writes: its default, and perhaps others, one of a kind, for streams whose topics ask for them. Each stream lies in one of
/// them as long as it is open. The first that is lost ends the incarnation.
/// </summary>
/// <remarks>Threading: any thread. Disposes none of them.</remarks>
public sealed class NodeWals
{
    private readonly IWriteAheadLog[] _all;

    /// <param name="first">The default.</param>
    /// <param name="additional">The others, of other kinds.</param>
    public NodeWals(IWriteAheadLog first, params IReadOnlyList<IWriteAheadLog> additional)
    {
        _all = [first, .. additional];
        Invariant.Check(_all.DistinctBy(wal => wal.Descriptor.Kind).Count() == _all.Length);
        MaxRecordBytes = _all.Min(wal => wal.MaxRecordBytes);
    }

    /// <summary>The default first.</summary>
    public IReadOnlyList<IWriteAheadLog> All => _all;

    /// <summary>What streams lie in whose topics ask for no other.</summary>
    public IWriteAheadLog Default => _all[0];

    /// <summary>Of the one that is fullest: see <see cref="IWriteAheadLog.Fullness"/>.</summary>
    public double Fullness
    {
        get
        {
            var fullest = 0d;
            foreach (var wal in _all)
            {
                fullest = Math.Max(fullest, wal.Fullness);
            }

            return fullest;
        }
    }

    /// <summary>What every one of them takes, so that a stream may change its WAL at any time.</summary>
    public int MaxRecordBytes { get; }

    /// <summary>Of the one that has waited longest: see <see cref="IWriteAheadLog.Stalled"/>.</summary>
    public TimeSpan Stalled => _all.Max(wal => wal.Stalled);

    /// <summary>Where a stream lies: an additional one of a kind, or (null) the default.</summary>
    public IWriteAheadLog Find(WalKind? additional)
    {
        var found = additional is { } kind ? _all.Skip(1).FirstOrDefault(wal => wal.Descriptor.Kind == kind) : Default;
        Invariant.Check(found is not null);
        return found;
    }
}
