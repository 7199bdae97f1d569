using Millrace.Runtime.Ids;

namespace Millrace.Metadata.Image;

/// <summary>A WAL that may hold what no object holds, or whose space may not have been given back yet.</summary>
/// <param name="Id">Unique for ever; written into the WAL itself.</param>
/// <param name="Kind">The stream store's number for the medium.</param>
/// <param name="Location">For people and for finding it again; no credentials.</param>
/// <param name="Node">The node that writes it.</param>
/// <param name="Epoch">The incarnation that writes it.</param>
/// <param name="State">Whether it is in use or waits for recovery.</param>
/// <param name="IsAdditional">
/// Only those streams lie in it whose topics ask for its kind; all others of its writer lie in the one that is not so, the default.
/// </param>
public sealed record WalImage(Guid Id, byte Kind, string Location, NodeId Node, NodeEpoch Epoch, WalState State, bool IsAdditional = false)
{
    public WalRecord ToRecord() =>
        new()
        {
            WalId = Id,
            Kind = (sbyte)Kind,
            Location = Location,
            NodeId = Node.Value,
            NodeEpoch = Epoch.Value,
            State = (sbyte)State,
            IsAdditional = IsAdditional,
        };
}
