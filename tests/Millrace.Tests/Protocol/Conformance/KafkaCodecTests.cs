using System.Diagnostics;
using System.Globalization;
using Millrace.Tests.Protocol.Messages;
using Xunit;

namespace Millrace.Tests.Protocol.Conformance;

public sealed class KafkaCodecTests
{
    /// <summary>
    /// Apache Kafka's own classes write every message at every version, twice with random values and once with
    /// defaults; all of it is read here to its end, and written again to the same bytes.
    /// </summary>
    [Fact]
    public async Task Every_message_that_Kafka_writes_is_read_and_written_to_the_same_bytes()
    {
        var libraries = Repository.Shared("peers/kafka/libs");
        Assert.SkipWhen(libraries is null, "Apache Kafka's libraries are not here");
        Assert.SkipUnless(File.Exists("/usr/bin/javac"), "No Java development kit");
        var seen = new HashSet<(string, short)>();
        foreach (var line in await DumpAsync(libraries!))
        {
            var parts = line.Split(' ');
            var version = short.Parse(parts[1], CultureInfo.InvariantCulture);
            var bytes = Convert.FromHexString(parts[2]);
            var schema = Schemas.Messages.GetValueOrDefault(parts[0]) ?? Schemas.Messages[parts[0][..^"Data".Length]];
            var message = MessageCodec.For(Schemas.TypeOf(schema)).Read(bytes, version);
            Assert.Equal($"{parts[0]} {version} {parts[2]}", $"{parts[0]} {version} {Convert.ToHexStringLower(MessageCodec.Write(message, version))}");
            seen.Add((schema.Name, version));
        }

        Assert.All(Schemas.Messages.Values, schema =>
        {
            for (var version = schema.Versions.Min; version <= schema.Versions.Max; version++)
            {
                Assert.Contains((schema.Name, version), seen);
            }
        });
    }

    private static async Task<string[]> DumpAsync(string libraries)
    {
        var program = Path.Combine(Repository.Root, "tests", "Millrace.Tests", "Protocol", "Conformance", "DumpMessages.java");
        var jars = new[] { "kafka-clients", "kafka-group-coordinator", "kafka-transaction-coordinator", "kafka-share-coordinator" }
            .Select(name => Directory.EnumerateFiles(libraries, name + "-4*.jar").Single());
        using var java = Process.Start(new ProcessStartInfo("java", ["-cp", Path.Combine(libraries, "*"), program, .. jars])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = java.StandardError.ReadToEndAsync();
        var output = await java.StandardOutput.ReadToEndAsync();
        await java.WaitForExitAsync();
        Assert.True(java.ExitCode == 0, await errors);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
