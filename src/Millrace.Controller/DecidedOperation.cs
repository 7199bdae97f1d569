using Millrace.Metadata.Image;
using Millrace.Runtime;

namespace Millrace.Controller;

/// <summary>A request that a function decides.</summary>
internal sealed class DecidedOperation<T>(Func<PendingEntry, T> decide) : ControllerOperation
{
    private readonly TaskCompletionSource<Decided<T>> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T? _result;
    private Exception? _refusal;

    public Task<Decided<T>> Answered => _answer.Task;

    /// <summary>Ends the caller's wait. Whether it is still decided is the queue's matter.</summary>
    public void GiveUp(CancellationToken token) => _answer.TrySetCanceled(token);

    public override void Decide(PendingEntry entry)
    {
        try
        {
            _result = entry.Run(decide);
        }
        catch (Exception refusal) when (refusal is not InvariantViolationException)
        {
            _refusal = refusal;
        }
    }

    public override void Answer(MetadataVersion version) => _answer.TrySetResult(new Decided<T>(version, _result, _refusal));

    public override void Abandon(Exception reason) => _answer.TrySetException(reason);
}
