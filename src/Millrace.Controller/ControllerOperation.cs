using Millrace.Metadata.Image;

namespace Millrace.Controller;

/// <summary>A request on its way through the controller's loop.</summary>
internal abstract class ControllerOperation
{
    /// <summary>Decides, on the entry that is being put together. Never throws what is the requester's fault: that is its answer.</summary>
    public abstract void Decide(PendingEntry entry);

    /// <summary>The entry is committed: the requester may know. Even a refusal waits for that, since it may rest on what the entry says.</summary>
    /// <param name="version">Of the committed image.</param>
    public abstract void Answer(MetadataVersion version);

    /// <summary>Whether the entry is committed is not known and never will be.</summary>
    public abstract void Abandon(Exception reason);
}
