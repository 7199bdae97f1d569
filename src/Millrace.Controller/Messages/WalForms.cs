using Millrace.Controller.Nodes;
using Millrace.Metadata;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal;

namespace Millrace.Controller.Messages;

/// <summary>WALs, and what waits for them, as they are told by the channel.</summary>
internal static class WalForms
{
    /// <summary>How many ranges one request completes: bounds its entry. A node whose share is larger completes it in pieces.</summary>
    public const int MostRanges = 10_000;

    public static ListWalsResponse.KnownWal ToMessage(WalDescriptor wal) =>
        new() { WalId = wal.Id, Kind = (sbyte)wal.Kind, Location = wal.Location, NodeId = wal.Node.Value, NodeEpoch = wal.Epoch.Value };

    public static WalDescriptor ToDescriptor(ListWalsResponse.KnownWal wal) =>
        new(wal.WalId, (WalKind)wal.Kind, wal.Location, new NodeId(wal.NodeId), new NodeEpoch(wal.NodeEpoch));

    public static ListWalsResponse.WaitingWal ToMessage(WaitingWal waiting) =>
        new()
        {
            Wal = ToMessage(waiting.Wal),
            Streams =
            [
                .. waiting.Streams.Select(stream => new ListWalsResponse.WaitingStream
                {
                    StreamId = stream.Stream.Value,
                    Topic = stream.Topic,
                    Partition = stream.Partition,
                    PlannedTo = stream.PlannedTo?.Value ?? -1,
                    IsDamaged = stream.IsDamaged,
                }),
            ],
        };

    public static WaitingWal ToWaiting(ListWalsResponse.WaitingWal waiting) =>
        new(
            ToDescriptor(waiting.Wal),
            [
                .. waiting.Streams.Select(stream => new WaitingStream(new StreamId(stream.StreamId), stream.Topic, stream.Partition)
                {
                    PlannedTo = stream.PlannedTo < 0 ? null : new NodeId(stream.PlannedTo),
                    IsDamaged = stream.IsDamaged,
                }),
            ]);

    public static ListSharesResponse.Share ToMessage(WalShare share) =>
        new()
        {
            WalId = share.WalId,
            Ranges =
            [
                .. share.Ranges.Select(range => new ListSharesResponse.Range
                {
                    StreamId = range.Stream.Value, Epoch = range.Epoch.Value, EndOffset = range.EndOffset,
                }),
            ],
        };

    public static WalShare ToShare(ListSharesResponse.Share share) =>
        new(
            share.WalId,
            [.. share.Ranges.Select(range => new ShareRange(new StreamId(range.StreamId), new StreamEpoch(range.Epoch), range.EndOffset))]);

    /// <summary>What was recovered.</summary>
    public static WalShare ToShare(CompleteRecoveryRequest request) =>
        new(
            request.WalId,
            [.. request.Ranges.Select(range => new ShareRange(new StreamId(range.StreamId), new StreamEpoch(range.Epoch), range.EndOffset))]);
}
