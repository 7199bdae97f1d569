using System.Runtime.ExceptionServices;
using Millrace.Metadata.Image;

namespace Millrace.Controller;

/// <summary>A request that waits for the controller's loop, and what becomes of it there.</summary>
internal abstract class ControllerOperation
{
    /// <summary>
    /// Completes with the version of the committed image, when the entry is committed that it was decided on: even a refusal waits for that, since it
    /// may rest on what the entry says. Cancelled by a requester who gives up; fails if whether the entry is committed is not known and never will be.
    /// </summary>
    public TaskCompletionSource<MetadataVersion> Committed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Why it was refused; null if it was not.</summary>
    public Exception? Refusal { get; set; }

    /// <summary>Decides it, on the entry that is being put together. What it throws is the requester's to know, unless it is a broken invariant.</summary>
    public abstract void Decide(PendingEntry entry);
}

/// <inheritdoc/>
/// <param name="decide">Makes its result.</param>
internal sealed class ControllerOperation<T>(Func<PendingEntry, T> decide) : ControllerOperation
{
    private T? _result;

    /// <summary>The version of the committed image that the result rests on. Only when it is committed.</summary>
    public MetadataVersion Version => Committed.Task.Result;

    public override void Decide(PendingEntry entry) => _result = entry.Run(decide);

    /// <summary>The result. Only when it is committed.</summary>
    /// <exception cref="Exception">It was refused: for that reason.</exception>
    public T Accepted()
    {
        if (Refusal is not null)
        {
            ExceptionDispatchInfo.Throw(Refusal);
        }

        return _result!;
    }
}
