using Millrace.Streams.Recovery;
using Millrace.Streams.Wal;

namespace Millrace.Tests.Streams.Recovery;

/// <summary>Recoveries of all that is a node's to bring of a WAL.</summary>
internal static class WholeShare
{
    public static async Task<WalFailoverResult> RecoverShareAsync(this WalFailover failover, IWalRecovery wal) =>
        await failover.RecoverAsync(wal, (await failover.GetSharesAsync(default)).Single(share => share.WalId == wal.Descriptor.Id), default);
}
