using Millrace.Runtime;

namespace Millrace.Controller;

/// <summary>A request that a function decides.</summary>
internal sealed class DecidedOperation<T>(Func<PendingEntry, T> decide) : ControllerOperation
{
    private readonly TaskCompletionSource<T> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T? _result;
    private Exception? _refusal;

    public Task<T> Answered => _answer.Task;

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

    public override void Answer()
    {
        if (_refusal is null)
        {
            _answer.TrySetResult(_result!);
        }
        else
        {
            _answer.TrySetException(_refusal);
        }
    }

    public override void Abandon(Exception reason) => _answer.TrySetException(reason);
}
