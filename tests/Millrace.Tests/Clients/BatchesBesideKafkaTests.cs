using System.Globalization;
using System.Net;
using Millrace.Tests.Protocol.Conformance;
using Xunit;

namespace Millrace.Tests.Clients;

/// <summary>
/// Random batches sent to a broker of ours and to Apache Kafka, as produce requests: each answers what its classes say of them in
/// <see cref="BatchDifferenceTests"/>, which compares many more. MILLRACE_BATCH_REQUESTS asks for more than the usual few.
/// </summary>
[Collection(ClientTestGroup.Name)]
public sealed class BatchesBesideKafkaTests(SharedBroker broker, SharedKafka kafka, ITestOutputHelper output)
{
    private const int Seed = 71;
    private const string Topic = "batches-beside";

    [Fact]
    public async Task Brokers_answer_what_their_classes_say()
    {
        KafkaJudge.SkipWhenMissing();
        var kafkas = await kafka.AskAsync();
        var asked = Environment.GetEnvironmentVariable("MILLRACE_BATCH_REQUESTS");
        var count = int.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out var wanted) ? wanted : 100;
        var cases = Enumerable.Range(0, count).Select(number => BatchCases.Make(Seed, number)).ToArray();
        var judged = await KafkaJudge.JudgeAsync(cases);

        var theirs = await AskAsync(kafkas, cases);
        var ours = await AskAsync(new AnswersBesideKafka.Ask(IPEndPoint.Parse(broker.BootstrapServers)), cases);

        var differences = cases.Where((_, i) => ours[i] != MillraceJudge.Judge(cases[i].Bytes).Code || theirs[i] != judged[i].Code)
            .Select(each => $"{each.Name} [seed {Seed}, case {each.Number}]: ours {ours[each.Number]}, of the classes {MillraceJudge.Judge(each.Bytes).Code}; "
                + $"Kafka's {theirs[each.Number]}, of the classes {judged[each.Number].Code}").ToList();
        output.WriteLine($"{count} cases; ours and Kafka's answers:");
        output.WriteLine(string.Join('\n', ours.Zip(theirs).GroupBy(pair => pair).OrderByDescending(group => group.Count())
            .Select(group => $"{group.Count(),6}  {group.Key.First} {group.Key.Second}")));
        Assert.True(differences.Count == 0, $"{differences.Count} differences\n{string.Join('\n', differences)}");
    }

    private static async Task<short[]> AskAsync(AnswersBesideKafka.Ask ask, BatchCase[] cases)
    {
        await ask.CreateTopicAsync(Topic);
        var answers = new short[cases.Length];
        for (var i = 0; i < cases.Length; i++)
        {
            answers[i] = (short)await ask.ProduceAsync(Topic, cases[i].Bytes);
        }

        return answers;
    }
}
