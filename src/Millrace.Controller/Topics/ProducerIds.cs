using Millrace.Metadata;
using Millrace.Protocol;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Controller.Topics;

/// <summary>AllocateProducerIds: a broker gets a block of producer ids that nobody else ever gets.</summary>
internal static class ProducerIds
{
    internal const int BlockLength = 1_000;

    public static AllocateProducerIdsResponse Allocate(PendingEntry entry, AllocateProducerIdsRequest request)
    {
        var node = new NodeId(request.BrokerId);
        if (!entry.Cluster.Nodes.ContainsKey(node))
        {
            return new AllocateProducerIdsResponse { ErrorCode = (short)ErrorCode.BrokerIdNotRegistered };
        }

        if (!entry.IsLive(new NodeIncarnation(node, new NodeEpoch(request.BrokerEpoch))))
        {
            return new AllocateProducerIdsResponse { ErrorCode = (short)ErrorCode.StaleBrokerEpoch };
        }

        var start = entry.Cluster.NextProducerId;
        entry.Add(new ProducerIdsRecord { NextProducerId = start + BlockLength });
        return new AllocateProducerIdsResponse { ProducerIdStart = start, ProducerIdLen = BlockLength };
    }
}
