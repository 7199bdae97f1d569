using Millrace.Metadata.Image;

namespace Millrace.Controller;

/// <summary>A request that waits for the controller's loop, and what becomes of it there.</summary>
/// <param name="decide">
/// Decides it, on the entry that is being put together. What it throws is the requester's to know, unless it is a broken invariant.
/// </param>
internal sealed class ControllerOperation(Action<PendingEntry> decide)
{
    public Action<PendingEntry> Decide => decide;

    /// <summary>
    /// Completes with the version of the committed image, when the entry is committed that it was decided on: even a refusal waits for that, since it
    /// may rest on what the entry says. Cancelled by a requester who gives up; fails if whether the entry is committed is not known and never will be.
    /// </summary>
    public TaskCompletionSource<MetadataVersion> Committed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Why it was refused; null if it was not.</summary>
    public Exception? Refusal { get; set; }
}
