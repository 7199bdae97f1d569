using Millrace.Runtime;
using Millrace.Simulation.Kernel;
using Millrace.Streams;
using Millrace.Streams.Wal;

namespace Millrace.Simulation.Scenarios.Stores;

/// <summary>WALs with a mistake: now and then one throws, as for want of memory, when it has accepted the record already.</summary>
internal sealed class PlantedWals : IWalProvider
{
    private const double HowOften = 0.02;
    private readonly IWalProvider _wals;
    private readonly SeededRandom _random;

    private PlantedWals(IWalProvider wals, SeededRandom random) => (_wals, _random) = (wals, random);

    public WalKind Kind => _wals.Kind;

    public static IWalProvider Around(IWalProvider wals, PlantedFault? fault, SeededRandom random) =>
        fault == PlantedFault.RefuseWhatIsAccepted ? new PlantedWals(wals, random) : wals;

    public WalDescriptor Describe(NodeId node, NodeEpoch epoch) => _wals.Describe(node, epoch);

    public async ValueTask<IWriteAheadLog> CreateAsync(WalDescriptor descriptor, CancellationToken token) =>
        new Log(await _wals.CreateAsync(descriptor, token), _random);

    public ValueTask<IWalRecovery> TakeOverAsync(WalDescriptor descriptor, CancellationToken token) => _wals.TakeOverAsync(descriptor, token);

    public ValueTask<bool> DiscardAsync(WalDescriptor descriptor, CancellationToken token) => _wals.DiscardAsync(descriptor, token);

    public ValueTask<IReadOnlyList<string>> FindOthersAsync(IReadOnlySet<Guid> known, CancellationToken token) => _wals.FindOthersAsync(known, token);

    private sealed class Log(IWriteAheadLog wal, SeededRandom random) : IWriteAheadLog
    {
        public WalDescriptor Descriptor => wal.Descriptor;

        public double Fullness => wal.Fullness;

        public int MaxRecordBytes => wal.MaxRecordBytes;

        public Task<StreamException> Lost => wal.Lost;

        public ValueTask AppendAsync(in StreamRecord record, out long position)
        {
            var append = wal.AppendAsync(record, out position);
            return random.Chance(HowOften) ? throw new OutOfMemoryException() : append;
        }

        public ValueTask TrimAsync(long position, CancellationToken token) => wal.TrimAsync(position, token);

        public ValueTask RetireAsync(CancellationToken token) => wal.RetireAsync(token);

        public ValueTask DisposeAsync() => wal.DisposeAsync();
    }
}
