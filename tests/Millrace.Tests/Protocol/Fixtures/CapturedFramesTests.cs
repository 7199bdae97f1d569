using System.Buffers;
using System.Globalization;
using System.Text;
using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;
using Millrace.Protocol.Records;
using Millrace.Tests.Protocol.Messages;
using Xunit;

namespace Millrace.Tests.Protocol.Fixtures;

/// <summary>
/// Frames that real clients and Apache Kafka 4.3.1 exchanged: Kafka's Java client and tools, librdkafka, kafkajs and
/// kafka-python. A line is <c>request|response, API key, version, frame without its length</c>.
/// </summary>
public sealed class CapturedFramesTests
{
    public static TheoryData<string> Clients => ["java", "librdkafka", "kafkajs", "kafka-python"];

    [Theory]
    [MemberData(nameof(Clients))]
    public void Captured_frames_are_understood_and_written_to_the_same_bytes(string client)
    {
        var decoded = new StringBuilder();
        foreach (var frame in FramesOf(client))
        {
            var (header, body) = Read(frame);
            decoded.Append(CultureInfo.InvariantCulture, $"== {frame.Direction} {frame.Api.Key} {frame.Version}\n");
            decoded.Append(MessagePrinter.Print(header)).Append(MessagePrinter.Print(body)).Append('\n');
            Assert.Equal(Convert.ToHexString(frame.Bytes), Convert.ToHexString(Write(frame, header, body)));
        }

        Golden.Check(Golden.PathOf("Fixtures", client + ".decoded.txt"), decoded.ToString());
    }

    [Fact]
    public void Batches_that_clients_produced_are_valid_in_every_codec()
    {
        var codecs = new HashSet<CompressionCodec>();
        foreach (var frame in Clients.Select(row => row.Data).SelectMany(FramesOf).Where(frame => frame is { Direction: "request", Api.Key: ApiKey.Produce }))
        {
            var (_, body) = Read(frame);
            foreach (var partition in ((ProduceRequest)body).TopicData.SelectMany(topic => topic.PartitionData))
            {
                var verdict = RecordBatchValidator.Validate(partition.Records!.Value.ToArray(), new RecordBatchRules());
                Assert.Equal(RecordBatchError.None, verdict.Error);
                Assert.Equal(verdict.Header.MaxTimestamp, verdict.MaxTimestamp);
                codecs.Add(verdict.Header.Codec);
            }
        }

        Assert.Equal(Enum.GetValues<CompressionCodec>(), codecs.Order());
    }

    [Fact]
    public void Batches_that_Kafka_served_are_intact()
    {
        var records = 0;
        foreach (var frame in Clients.Select(row => row.Data).SelectMany(FramesOf).Where(frame => frame is { Direction: "response", Api.Key: ApiKey.Fetch }))
        {
            var (_, body) = Read(frame);
            foreach (var partition in ((FetchResponse)body).Responses.SelectMany(topic => topic.Partitions))
            {
                foreach (var batch in RecordBatch.Split((partition.Records ?? default).ToArray()))
                {
                    Assert.True(batch.IsIntact);
                    records += batch.ReadRecords(maxDecompressedBytes: 1 << 20).Count();
                }
            }
        }

        Assert.True(records > 0);
    }

    private static IEnumerable<Frame> FramesOf(string client)
    {
        foreach (var line in File.ReadLines(Golden.PathOf("Fixtures", client + ".frames.txt")))
        {
            var parts = line.Split(' ');
            var api = ApiMessages.Find((ApiKey)short.Parse(parts[1], CultureInfo.InvariantCulture))!;
            yield return new Frame(parts[0], api, short.Parse(parts[2], CultureInfo.InvariantCulture), Convert.FromHexString(parts[3]));
        }
    }

    private static (IMessage Header, IMessage Body) Read(Frame frame)
    {
        var reader = new KafkaReader(frame.Bytes);
        IMessage header;
        IMessage body;
        if (frame.Direction == "request")
        {
            var requestHeader = RequestHeader.Read(ref reader, frame.Api.RequestHeaderVersion(frame.Version));
            Assert.Equal(((short)frame.Api.Key, frame.Version), (requestHeader.RequestApiKey, requestHeader.RequestApiVersion));
            header = requestHeader;
            body = ApiMessages.ReadRequest(frame.Api.Key, ref reader, frame.Version);
        }
        else
        {
            header = ResponseHeader.Read(ref reader, frame.Api.ResponseHeaderVersion(frame.Version));
            body = ApiMessages.ReadResponse(frame.Api.Key, ref reader, frame.Version);
        }

        reader.ExpectEnd();
        return (header, body);
    }

    private static byte[] Write(Frame frame, IMessage header, IMessage body)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new KafkaWriter(output);
        header.Write(ref writer, frame.Direction == "request" ? frame.Api.RequestHeaderVersion(frame.Version) : frame.Api.ResponseHeaderVersion(frame.Version));
        body.Write(ref writer, frame.Version);
        writer.Flush();
        return output.WrittenSpan.ToArray();
    }

    private sealed record Frame(string Direction, ApiMessage Api, short Version, byte[] Bytes);
}
