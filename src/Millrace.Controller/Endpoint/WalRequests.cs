using Millrace.Controller.Messages;
using Millrace.Controller.Nodes;
using Millrace.Metadata;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal;

namespace Millrace.Controller.Endpoint;

/// <summary>What is asked about WALs, from messages to decisions.</summary>
internal static class WalRequests
{
    public static RegisterWalResponse Register(PendingEntry entry, RegisterWalRequest request)
    {
        var node = Sender(request.NodeId, request.NodeEpoch);
        NodeOperations.RegisterWal(entry, node, new WalDescriptor(request.WalId, (WalKind)request.Kind, request.Location, node.Node, node.Epoch));
        return new RegisterWalResponse();
    }

    public static ListWalsResponse List(PendingEntry entry, ListWalsRequest request) =>
        new()
        {
            Waiting = [.. NodeOperations.Waiting(entry.State).Select(WalForms.ToMessage)],
            Retired = [.. NodeOperations.Retired(entry.State).Select(WalForms.ToMessage)],
        };

    public static ForgetWalsResponse Forget(PendingEntry entry, ForgetWalsRequest request)
    {
        NodeOperations.ForgetWals(entry, Sender(request.NodeId, request.NodeEpoch), [.. request.WalIds]);
        return new ForgetWalsResponse();
    }

    public static CompleteRecoveryResponse Complete(PendingEntry entry, CompleteRecoveryRequest request) =>
        new()
        {
            DamagedStreams =
                [.. NodeOperations.CompleteRecovery(entry, Sender(request.NodeId, request.NodeEpoch), request.WalId).Select(stream => stream.Value)],
        };

    public static AcceptLossResponse AcceptLoss(PendingEntry entry, AcceptLossRequest request)
    {
        entry.RequireLive(Sender(request.NodeId, request.NodeEpoch));
        var lost = NodeOperations.AcceptLoss(entry, request.WalId, request.Streams?.Select(stream => new StreamId(stream)).ToHashSet());
        return new AcceptLossResponse
        {
            Lost =
            [
                .. lost.Select(stream => new AcceptLossResponse.LostStream
                {
                    StreamId = stream.Stream.Value,
                    Topic = stream.Topic,
                    Partition = stream.Partition,
                }),
            ],
        };
    }

    private static NodeIncarnation Sender(int node, long epoch) => new(new NodeId(node), new NodeEpoch(epoch));
}
