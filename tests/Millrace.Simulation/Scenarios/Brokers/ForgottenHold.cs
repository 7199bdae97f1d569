using Millrace.Protocol;
using Millrace.Protocol.Primitives;
using Millrace.Protocol.Records;
using Millrace.Runtime.Buffers;
using Millrace.Simulation.Kernel;
using Millrace.Streams;

namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>
/// Plants a mistake: an append is parked in a frame that it does not hold. A hold that was never taken is one too few from then on, just
/// as after one release too many, and that is what this does to the frame of an append that waits for room.
/// </summary>
internal sealed class ForgottenHold(SimulationKernel kernel)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    /// <summary>Watches one incarnation until it has spoiled a frame, or the node is gone.</summary>
    /// <param name="streams">The incarnation's.</param>
    /// <param name="firstBuffer">How many buffers had been made when it began: those behind are its own.</param>
    /// <param name="lane">The incarnation's.</param>
    public void Watch(StreamStore streams, int firstBuffer, Lane lane) => kernel.At(kernel.Now + Interval, lane, () =>
    {
        var frame = streams.Budget.Waiting == 0 ? null : kernel.Buffers.Skip(firstBuffer).FirstOrDefault(IsParked);
        if (frame is null)
        {
            Watch(streams, firstBuffer, lane);
            return;
        }

        kernel.Trace.Note("a frame is released under a parked append");
        kernel.Coverage.Count("planted: frames released under a parked append");
        frame.Release();
    });

    /// <summary>A whole produce request of which no batch has its offset: the broker writes its epoch into those that have.</summary>
    private static bool IsParked(PooledBuffer buffer)
    {
        if (!buffer.IsHeld)
        {
            return false;
        }

        try
        {
            var reader = new KafkaReader(buffer.Memory);
            var (api, version) = (reader.ReadInt16(), reader.ReadInt16());
            if (api != (short)ApiKey.Produce || version is < 3 or > 13)
            {
                return false;
            }

            reader = new KafkaReader(buffer.Memory);
            RequestHeader.Read(ref reader, ApiMessages.Find(ApiKey.Produce)!.RequestHeaderVersion(version));
            var request = ProduceRequest.Read(ref reader, version);
            reader.ExpectEnd();
            return request.TopicData.SelectMany(topic => topic.PartitionData).All(partition =>
                partition.Records is { } records && RecordBatchHeader.TryRead(records.FirstSpan, out var header) && header.PartitionLeaderEpoch < 0);
        }
        catch (ProtocolException)
        {
            // Something else begins like that.
            return false;
        }
    }
}
