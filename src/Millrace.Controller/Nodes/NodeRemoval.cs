using Millrace.Controller.Topics;
using Millrace.Metadata;
using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Nodes;

/// <summary>UnregisterBroker: the cluster forgets a node that is away and of which nothing is needed any more.</summary>
/// <remarks>
/// Kafka forgets a live broker, too, which stays away then until it is started again. A node of ours would come back at once, as another: it is refused.
/// </remarks>
internal static class NodeRemoval
{
    public static UnregisterBrokerResponse Remove(PendingEntry entry, UnregisterBrokerRequest request)
    {
        var id = new NodeId(request.BrokerId);
        if (Check(entry.Cluster, id) is { } refusal)
        {
            return new UnregisterBrokerResponse { ErrorCode = (short)refusal.Error, ErrorMessage = refusal.Message };
        }

        entry.Add(new NodeRemovedRecord { NodeId = id.Value, NodeEpoch = entry.Cluster.Nodes[id].Epoch.Value });
        return new UnregisterBrokerResponse();
    }

    private static Refusal? Check(MetadataImage cluster, NodeId id) => cluster.Nodes.GetValueOrDefault(id) switch
    {
        null => new(ErrorCode.BrokerIdNotRegistered, $"Broker ID {id} is not currently registered"),
        { IsLive: true } => new(ErrorCode.InvalidRequest, $"Broker {id} is alive. Stop it first; it is forgotten only while it is away."),
        _ => cluster.Wals.Values.FirstOrDefault(wal => wal.Node == id && wal.State == WalState.AwaitsRecovery) is { } wal
            ? new(
                ErrorCode.InvalidRequest,
                $"WAL {wal.Id} ({wal.Location}) of broker {id} may hold records that are nowhere else. Start that broker again, "
                + $"or give up what is lost: millrace start --accept-loss {wal.Id}.")
            : null,
    };
}
