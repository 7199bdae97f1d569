using Millrace.Streams.Recovery;
using Millrace.Streams.Wal;

namespace Millrace.Tests.Streams.Recovery;

/// <summary>Recoveries of all that is a node's to bring of a WAL.</summary>
internal static class WholeShare
{
    public static async Task<RecoveredShare> RecoverShareAsync(this ShareRecoverer failover, ISealedWal wal) =>
        await failover.RecoverAsync(wal, (await failover.GetSharesAsync(default)).Single(share => share.WalId == wal.Descriptor.Id), default);
}
