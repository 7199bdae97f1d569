using System.Globalization;
using Xunit;

namespace Millrace.Tests.Protocol.Conformance;

/// <summary>
/// Random batches are judged by this broker and by Apache Kafka's own classes: what one takes the other takes, what is taken is
/// read alike by every client, what is refused has the same code; or the difference is a known one. MILLRACE_BATCH_CASES and
/// MILLRACE_BATCH_SEED ask for more cases and others than those of continuous integration; MILLRACE_BATCH_CASE for a single one.
/// </summary>
public sealed class BatchDifferenceTests(ITestOutputHelper output)
{
    private static readonly int Seed = Setting("MILLRACE_BATCH_SEED", 1);

    [Fact]
    public async Task Batches_are_taken_and_refused_as_by_Kafka()
    {
        KafkaJudge.SkipWhenMissing();
        var only = Setting("MILLRACE_BATCH_CASE", -1);
        var numbers = only >= 0 ? [only] : Enumerable.Range(0, Setting("MILLRACE_BATCH_CASES", 1_000));
        var cases = numbers.Select(number => BatchCases.Make(Seed, number)).ToArray();
        var kafka = await KafkaJudge.JudgeAsync(cases);
        var ours = cases.Select(each => MillraceJudge.Judge(each.Bytes)).ToArray();

        var known = new SortedDictionary<string, (int Count, BatchCase First)>(StringComparer.Ordinal);
        var unknown = new List<string>();
        for (var i = 0; i < cases.Length; i++)
        {
            if (ours[i] != kafka[i] && KnownBatchDifferences.ReasonFor(cases[i], ours[i], kafka[i]) is { } reason)
            {
                foreach (var each in reason.Split("; "))
                {
                    known[each] = known.TryGetValue(each, out var other) ? (other.Count + 1, other.First) : (1, cases[i]);
                }
            }
            else if (ours[i] != kafka[i])
            {
                unknown.Add($"ours {ours[i].Code} {ours[i].Content}, Kafka's {kafka[i].Code} {kafka[i].Content}: {Describe(cases[i])}");
            }
        }

        output.WriteLine($"{cases.Length} cases, {ours.Count(each => each.IsTaken)} taken, {kafka.Count(each => each.IsTaken)} by Kafka");
        output.WriteLine(string.Join('\n', known.Select(pair =>
            $"{pair.Value.Count,6}  {pair.Key} (as case {pair.Value.First.Number}: {pair.Value.First.Name})")));
        Report(unknown);
    }

    [Fact]
    public async Task What_is_taken_is_read_alike_by_kafka_python()
    {
        var taken = Enumerable.Range(0, Setting("MILLRACE_BATCH_CASES", 1_000)).Select(number => BatchCases.Make(Seed, number))
            .Select(each => (Case: each, Ours: MillraceJudge.Judge(each.Bytes))).Where(pair => pair.Ours.IsTaken).ToArray();
        var read = await KafkaJudge.ReadWithPythonAsync([.. taken.Select(pair => pair.Case)]);
        Assert.SkipWhen(read is null, "python3-kafka, python3-lz4, python3-snappy or python3-zstandard is not installed");
        output.WriteLine($"{taken.Length} batches");
        Report([
            .. taken.Zip(read!).Where(pair => pair.Second != pair.First.Ours.Content && !KnownBatchDifferences.IsUnreadableForPython(pair.First.Case))
                .Select(pair => $"ours {pair.First.Ours.Content}, kafka-python's {pair.Second}: {Describe(pair.First.Case)}"),
        ]);
    }

    private static void Report(List<string> differences) =>
        Assert.True(differences.Count == 0, $"{differences.Count} differences\n{string.Join('\n', differences.Take(500))}");

    private static string Describe(BatchCase each)
    {
        var bytes = each.Bytes.Length > 600 ? $"{each.Bytes.Length} bytes" : Convert.ToHexStringLower(each.Bytes);
        return $"{each.Name} [MILLRACE_BATCH_SEED={Seed} MILLRACE_BATCH_CASE={each.Number} ./test BatchDifferenceTests] {bytes}";
    }

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.Integer, CultureInfo.InvariantCulture, out var value) ? value : otherwise;
}
