using Millrace.Simulation.Kernel;
using Millrace.Streams;
using Millrace.Streams.Wal;

namespace Millrace.Simulation.Scenarios.Stores;

/// <summary>A WAL with a mistake: now and then it throws, as for want of memory, when it has accepted the record already.</summary>
internal sealed class PlantedWal(IWriteAheadLog wal, SeededRandom random) : IWriteAheadLog
{
    private const double HowOften = 0.02;

    public WalDescriptor Descriptor => wal.Descriptor;

    public double Fullness => wal.Fullness;

    public int MaxRecordBytes => wal.MaxRecordBytes;

    public Task<StreamException> Lost => wal.Lost;

    public ValueTask AppendAsync(in StreamRecord record, out long position)
    {
        var append = wal.AppendAsync(record, out position);
        return random.Chance(HowOften) ? throw new InsufficientMemoryException() : append;
    }

    public bool HasPlaceFor(long position) => wal.HasPlaceFor(position);

    public ValueTask TrimAsync(long position, CancellationToken token) => wal.TrimAsync(position, token);

    public ValueTask RetireAsync(CancellationToken token) => wal.RetireAsync(token);

    public ValueTask DisposeAsync() => wal.DisposeAsync();
}
