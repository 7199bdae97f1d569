using System.Diagnostics;
using System.Text;
using Millrace.Protocol.Records;
using Xunit;

namespace Millrace.Tests.Protocol.Conformance;

public sealed class KafkaLogTests
{
    /// <summary>Batches of every codec, laid down as a segment, are read record by record by Kafka's own tool, checksums included.</summary>
    [Fact]
    public async Task Kafka_reads_the_batches_that_are_built_here()
    {
        var kafka = Repository.Shared("peers/kafka/kafka.sh");
        Assert.SkipWhen(kafka is null, "Apache Kafka is not here");
        var folder = Directory.CreateTempSubdirectory("millrace-log-");
        try
        {
            var segment = Path.Combine(folder.FullName, "00000000000000000000.log");
            await WriteSegmentAsync(segment);
            var output = await RunAsync(kafka!, "dump-log", "--deep-iteration", "--print-data-log", "--files", segment);
            var values = output.Split('\n').Where(line => line.Contains("payload:", StringComparison.Ordinal)).ToArray();
            Assert.Equal(10, values.Length);
            for (var i = 0; i < values.Length; i++)
            {
                Assert.Contains($"offset: {i} ", values[i], StringComparison.Ordinal);
                Assert.Contains($"CreateTime: {1000 + i} ", values[i], StringComparison.Ordinal);
                Assert.Contains($"key: key-{i} payload: value-{i}-", values[i], StringComparison.Ordinal);
                Assert.Contains("headerKeys: [name]", values[i], StringComparison.Ordinal);
            }

            foreach (var codec in Enum.GetValues<CompressionCodec>())
            {
                Assert.Contains($"compresscodec: {codec.ToString().ToLowerInvariant()} ", output, StringComparison.Ordinal);
            }

            Assert.DoesNotContain("isvalid: false", output, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task WriteSegmentAsync(string path)
    {
        await using var file = File.Create(path);
        var next = 0;
        foreach (var codec in Enum.GetValues<CompressionCodec>())
        {
            var builder = new RecordBatchBuilder { Codec = codec, BaseOffset = next, PartitionLeaderEpoch = 0 };
            for (var i = 0; i < 2; i++, next++)
            {
                builder.Append(1000 + next, Text($"key-{next}"), Text($"value-{next}-{new string('x', 100_000)}"), [new RecordHeader("name", Text("value"))]);
            }

            await file.WriteAsync(builder.Build());
        }
    }

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await errors);
        return output;
    }
}
