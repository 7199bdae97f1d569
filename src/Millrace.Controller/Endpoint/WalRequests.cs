using Millrace.Controller.Messages;
using Millrace.Controller.Nodes;
using Millrace.Controller.State;
using Millrace.Controller.Topics;
using Millrace.Metadata;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal;

namespace Millrace.Controller.Endpoint;

/// <summary>What is asked about WALs, from messages to decisions.</summary>
internal static class WalRequests
{
    public static RegisterWalResponse Register(PendingEntry entry, RegisterWalRequest request)
    {
        var node = Sender(request.NodeId, request.NodeEpoch);
        var wal = new WalDescriptor(request.WalId, (WalKind)request.Kind, request.Location, node.Node, node.Epoch);
        WalOperations.RegisterWal(entry, node, wal, request.IsAdditional);
        return new RegisterWalResponse();
    }

    public static ListWalsResponse List(PendingEntry entry, ListWalsRequest request) =>
        new()
        {
            Waiting = [.. WaitingWals.Waiting(entry.State).Select(WalForms.ToMessage)],
            Retired = [.. WalOperations.Retired(entry.State).Select(WalForms.ToMessage)],
        };

    public static ForgetWalsResponse Forget(PendingEntry entry, ForgetWalsRequest request)
    {
        WalOperations.ForgetWals(entry, Sender(request.NodeId, request.NodeEpoch), [.. request.WalIds]);
        return new ForgetWalsResponse();
    }

    /// <summary>Of committed state: the entry that planned the share is in it, since the sender knows of that.</summary>
    public static ListSharesResponse Shares(ClusterState state, ListSharesRequest request) =>
        new() { Shares = [.. WaitingWals.SharesOf(state, Sender(request.NodeId, request.NodeEpoch)).Select(WalForms.ToMessage)] };

    public static ClaimWalResponse Claim(PendingEntry entry, ClaimWalRequest request)
    {
        WaitingWals.Claim(entry, Sender(request.NodeId, request.NodeEpoch), request.WalId);
        return new ClaimWalResponse();
    }

    public static CompleteRecoveryResponse Complete(PendingEntry entry, CompleteRecoveryRequest request)
    {
        if (request.Ranges.Count > WalForms.MostRanges)
        {
            throw new ArgumentException($"A request completes at most {WalForms.MostRanges} ranges, and this one {request.Ranges.Count}", nameof(request));
        }

        var completion = WaitingWals.Complete(entry, Sender(request.NodeId, request.NodeEpoch), WalForms.ToShare(request));
        Evacuation.PlanDrained(entry);
        return new CompleteRecoveryResponse
        {
            DamagedStreams = [.. completion.Damaged.Select(stream => stream.Value)],
            UncommittedStreams = [.. completion.Uncommitted.Select(stream => stream.Value)],
            IsRetired = completion.IsRetired,
        };
    }

    public static AcceptLossResponse AcceptLoss(PendingEntry entry, AcceptLossRequest request)
    {
        entry.RequireLive(Sender(request.NodeId, request.NodeEpoch));
        var lost = WaitingWals.AcceptLoss(entry, request.WalId, request.Streams?.Select(stream => new StreamId(stream)).ToHashSet());
        Evacuation.PlanDrained(entry);
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
