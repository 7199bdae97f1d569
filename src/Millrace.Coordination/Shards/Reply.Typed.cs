using Millrace.Runtime;

namespace Millrace.Coordination.Shards;

/// <inheritdoc/>
internal sealed class Reply<TResponse> : Reply
{
    private readonly TaskCompletionSource<TResponse> _delivered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TResponse? _given;

    public Task<TResponse> Delivered => _delivered.Task;

    /// <summary>Whether the shard has answered; the answer may still wait for the log.</summary>
    public bool IsGiven { get; private set; }

    /// <summary>The answer, if <see cref="IsGiven"/>.</summary>
    public TResponse Given
    {
        get
        {
            Invariant.Check(IsGiven);
            return _given!;
        }
    }

    internal void Give(TResponse response)
    {
        Invariant.Check(!IsGiven);
        _given = response;
        IsGiven = true;
    }

    internal override void Deliver()
    {
        Invariant.Check(IsGiven);
        _delivered.TrySetResult(_given!);
    }

    internal override void Fail(CoordinatorError error) => _delivered.TrySetException(new CoordinatorException(error));
}
