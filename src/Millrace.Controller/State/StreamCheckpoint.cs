using Millrace.Runtime.Ids;

namespace Millrace.Controller.State;

/// <summary>The newest range of a stream with a checkpoint. It is kept when its records are trimmed, and its epoch is forgotten with them.</summary>
/// <param name="Epoch">The epoch whose owner wrote it.</param>
/// <param name="Range">The range; empty if there is only the checkpoint.</param>
internal sealed record StreamCheckpoint(StreamEpoch Epoch, RangeState Range)
{
    public ObjectId Object => Range.Object;
}
