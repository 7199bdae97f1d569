using Millrace.Runtime.Ids;

namespace Millrace.Streams.Registry;

/// <summary>
/// What one incarnation has to know of the registry about a stream, or to tell it, before it can go on: asked until it is answered (see <see cref="Retry"/>).
/// </summary>
/// <remarks>Threading: any thread. Every call throws what the registry's own does, but for StorageUnavailable and ControllerLost.</remarks>
/// <param name="node">In whose name.</param>
/// <param name="registry">Who is asked.</param>
/// <param name="retry">For how long.</param>
internal sealed class RegistryCalls(NodeIncarnation node, IStreamRegistry registry, Retry retry)
{
    public Task CloseAsync(StreamClose close, CancellationToken token) =>
        retry.UntilDoneAsync("Closing a stream", cancel => registry.CloseAsync(node, close, cancel), token);

    public Task<IReadOnlyList<ObjectRange>> LoadRangesAsync(StreamId stream, long offset, int expected, CancellationToken token) =>
        retry.UntilDoneAsync("Asking for a stream's ranges", cancel => RangePages.LoadAsync(registry, stream, offset, expected, asOfNow: false, cancel), token);

    public Task<long?> GetCommittedEndAsync(StreamId stream, CancellationToken token) =>
        retry.UntilDoneAsync("Asking for a stream's end", cancel => registry.GetCommittedEndAsync(stream, cancel), token);

    public Task<long?> GetRecoverableEndAsync(Guid walId, StreamId stream, StreamEpoch epoch, CancellationToken token) =>
        retry.UntilDoneAsync("Asking what a range misses", cancel => registry.GetRecoverableEndAsync(walId, stream, epoch, cancel), token);

    public Task ReportDamageAsync(Guid? walId, StreamId stream, StreamEpoch epoch, CancellationToken token) =>
        retry.UntilDoneAsync("Reporting a damaged stream", cancel => registry.ReportDamageAsync(node, walId, stream, epoch, cancel), token);

    public Task<IReadOnlyList<WalShare>> GetSharesAsync(CancellationToken token) =>
        retry.UntilDoneAsync("Asking what is to be recovered", cancel => registry.GetSharesAsync(node, cancel), token);

    public Task<ShareCompletion> CompleteRecoveryAsync(WalShare share, CancellationToken token) =>
        retry.UntilDoneAsync("Completing a recovery", cancel => registry.CompleteRecoveryAsync(node, share, cancel), token);
}
