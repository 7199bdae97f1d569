using System.Buffers.Binary;
using System.Globalization;
using Millrace.Tests.Clients;
using Xunit;

namespace Millrace.Tests.Protocol.Conformance;

/// <summary>What Apache Kafka's own classes say of batches, and kafka-python's of those that are taken.</summary>
internal static class KafkaJudge
{
    private const string Python = "/usr/bin/python3";
    private static readonly string? Libraries = Repository.Shared("peers/kafka/libs");

    public static void SkipWhenMissing() =>
        Assert.SkipWhen(Libraries is null || !File.Exists("/usr/bin/javac"), "Apache Kafka's libraries, or a Java development kit, are not here");

    public static async Task<BatchJudgement[]> JudgeAsync(IReadOnlyList<BatchCase> cases) =>
        [.. (await AskAsync("java", ["-Xmx1g", "-cp", Path.Combine(Libraries!, "*"), Script("JudgeBatches.java")], cases)).Select(Parse)];

    /// <summary>As <see cref="JudgeAsync"/>, by kafka-python's decoders, of batches that were taken. Null where kafka-python is missing.</summary>
    public static async Task<string[]?> ReadWithPythonAsync(IReadOnlyList<BatchCase> cases) =>
        File.Exists(Python) && (await Tool.TryRunAsync(Python, ["-c", "import kafka, lz4, snappy, zstandard"])).ExitCode == 0
            ? await AskAsync(Python, [Script("read_batches.py")], cases)
            : null;

    private static async Task<string[]> AskAsync(string program, string[] arguments, IReadOnlyList<BatchCase> cases)
    {
        using var folder = new TemporaryDirectory();
        var path = Path.Combine(folder.Path, "cases");
        await using (var file = File.Create(path))
        {
            foreach (var each in cases)
            {
                var length = new byte[sizeof(int)];
                BinaryPrimitives.WriteInt32BigEndian(length, each.Bytes.Length);
                await file.WriteAsync(length);
                await file.WriteAsync(each.Bytes);
            }
        }

        var answers = (await Tool.RunAsync(program, [.. arguments, path], limit: TimeSpan.FromMinutes(10))).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(cases.Count, answers.Length);
        return answers;
    }

    private static string Script(string name) => Path.Combine(Repository.Root, "tests", "Millrace.Tests", "Protocol", "Conformance", name);

    private static BatchJudgement Parse(string line)
    {
        var parts = line.Split(' ');
        return new BatchJudgement(short.Parse(parts[0], CultureInfo.InvariantCulture), parts[1]);
    }
}
