using System.Buffers;
using Millrace.Protocol;
using Millrace.Protocol.Records;
using Xunit;

namespace Millrace.Tests.Server.Composition;

/// <summary>
/// A client of a stress: pipelines produces to several partitions of both topics, some with hardly any time, some without an answer, some
/// batches spoiled; reads; and leaves without waiting for its answers now and then. What it sends follows from its number.
/// </summary>
internal sealed class StressClient(NodeUnderTest node, StressLog log, int number)
{
    private const short Version = 9;
    private const int Pipelined = 4;
    private static readonly CompressionCodec[] Codecs =
    [
        CompressionCodec.None, CompressionCodec.None, CompressionCodec.None, CompressionCodec.Lz4, CompressionCodec.Snappy,
    ];
    private readonly Random _random = new(number);

    public async Task RunAsync(int rounds)
    {
        var connection = await node.ConnectAsync();
        for (var round = 0; round < rounds; round++)
        {
            var sent = Enumerable.Range(0, Pipelined).Select(_ => NewRequest()).ToArray();
            for (var i = 0; i < sent.Length; i++)
            {
                await connection.SendAsync(sent[i].Request, Version, i);
            }

            if (_random.Next(8) == 0)
            {
                connection.Dispose();
                connection = await node.ConnectAsync();
                continue;
            }

            for (var i = 0; i < sent.Length; i++)
            {
                if (sent[i].Request.Acks != 0)
                {
                    var (correlation, answer) = await connection.ReceiveAsync<ProduceResponse>(Version);
                    Assert.Equal(i, correlation);
                    Settle(sent[i].Batches, answer);
                }
            }

            await log.ReadAsync(StressLog.Stays, _random.Next(StressLog.Partitions), _random.Next(10 * (round + 1)));
            await log.ReadAsync(StressLog.ComesAndGoes, _random.Next(StressLog.Partitions), 0);
        }

        connection.Dispose();
    }

    private (ProduceRequest Request, Batch[] Batches) NewRequest()
    {
        // Without an answer only what cannot fail: an error would end the connection.
        var acks = (short)_random.Next(-1, 2);
        var batches = Enumerable.Range(0, StressLog.Partitions)
            .Where(_ => _random.Next(2) == 0)
            .Select(partition => NewBatch(StressLog.Stays, partition, acks != 0))
            .ToList();
        if (acks != 0 && _random.Next(3) == 0)
        {
            batches.Add(NewBatch(StressLog.ComesAndGoes, _random.Next(StressLog.Partitions), true));
        }

        var request = new ProduceRequest
        {
            Acks = acks,
            TimeoutMs = _random.Next(4) == 0 ? 1 : 60_000,
            TopicData = [.. batches.GroupBy(batch => batch.Topic).Select(topic => new ProduceRequest.TopicProduceData
            {
                Name = topic.Key,
                PartitionData = [.. topic.Select(batch => new ProduceRequest.PartitionProduceData
                {
                    Index = batch.Partition,
                    Records = new ReadOnlySequence<byte>(batch.Bytes),
                })],
            })],
        };
        return (request, [.. batches]);
    }

    private Batch NewBatch(string topic, int partition, bool maySpoil)
    {
        var (records, bytes) = log.NewBatch(partition, _random, Codecs[_random.Next(Codecs.Length)]);
        var isSpoiled = maySpoil && _random.Next(8) == 0;
        if (isSpoiled)
        {
            bytes[^1] ^= 1;
        }

        return new Batch(topic, partition, records, bytes, isSpoiled);
    }

    private void Settle(Batch[] batches, ProduceResponse answer)
    {
        var answered = answer.Responses.SelectMany(topic => topic.PartitionResponses).ToArray();
        for (var i = 0; i < batches.Length; i++)
        {
            var (batch, error) = (batches[i], (ErrorCode)answered[i].ErrorCode);
            Assert.Equal(batch.Partition, answered[i].Index);
            if (batch.IsSpoiled)
            {
                Assert.Contains(error, (ErrorCode[])[ErrorCode.CorruptMessage, ErrorCode.RequestTimedOut, ErrorCode.UnknownTopicOrPartition]);
            }
            else if (batch.Topic == StressLog.Stays)
            {
                Assert.Contains(error, (ErrorCode[])[ErrorCode.None, ErrorCode.RequestTimedOut]);
                if (error == ErrorCode.None)
                {
                    log.Acknowledged(batch.Partition, answered[i].BaseOffset, batch.Records);
                }
            }
            else
            {
                Assert.Contains(
                    error, (ErrorCode[])[ErrorCode.None, ErrorCode.RequestTimedOut, ErrorCode.UnknownTopicOrPartition, ErrorCode.NotLeaderOrFollower]);
            }
        }
    }

    private sealed record Batch(string Topic, int Partition, int[] Records, byte[] Bytes, bool IsSpoiled);
}
