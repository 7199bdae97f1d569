using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Millrace.Tests.Server.Cli;
using Xunit;

namespace Millrace.Tests.Clients;

/// <summary>What <c>--json</c> prints, in the form and under the names that docs/command-line.md promises.</summary>
[Collection(CommandLineTestGroup.Name)]
public sealed partial class JsonShapeTests(SharedBroker broker)
{
    // As the document calls it, the whole line, and what it reads. Each may need what those before it have made.
    private static readonly (string Documented, string Line, string Input)[] Uses =
    [
        ("topic create", "topic create json-shape -p 1", ""),
        ("topic list", "topic list json-shape", ""),
        ("topic alter", "topic alter json-shape --set retention.ms=86400000", ""),
        ("topic describe", "topic describe json-shape", ""),
        ("topic describe --configs", "topic describe json-shape --configs", ""),
        ("topic add-partitions", "topic add-partitions json-shape --to 2", ""),
        ("produce", "produce json-shape", "x\n"),
        ("consume", "consume json-shape --exit --group json-shape", ""),
        ("group list", "group list", ""),
        ("group describe", "group describe json-shape", ""),
        ("group seek", "group seek json-shape --all-topics --to earliest", ""),
        ("group delete", "group delete json-shape", ""),
        ("topic trim", "topic trim json-shape --before end", ""),
        ("topic delete", "topic delete json-shape", ""),
        ("config reference", "config reference", ""),
        ("config get", "config get num.partitions", ""),
        ("config set", "config set log.retention.ms=604800000", ""),
        ("config unset", "config unset log.retention.ms", ""),
        ("cluster describe", "cluster describe", ""),
        ("cluster health", "cluster health", ""),
        ("cluster restart-plan", "cluster restart-plan", ""),
        ("partition list", "partition list --topic json-left", ""),
        ("partition move", "partition move json-left --to 0", ""),
        ("partition move --cancel", "partition move json-left --cancel", ""),
        ("partition status", "partition status json-moved -b VERIFIED", ""),
        ("partition top", "partition top -b VERIFIED", ""),
        ("balancer status", "balancer status", ""),
        ("balancer history", "balancer history -b BALANCED", ""),
        ("balancer plan", "balancer plan -b BALANCED", ""),
        ("balancer undo", "balancer undo 1 -b BALANCED", ""),
        ("scaler status", "scaler status", ""),
        ("broker list", "broker list", ""),
        ("broker describe", "broker describe 0", ""),
        ("broker drain", "broker drain left -b VERIFIED", ""),
        ("broker cordon", "broker cordon 0", ""),
        ("broker uncordon", "broker uncordon --self", ""),
        ("broker undrain", "broker undrain 0", ""),
        ("broker remove", "broker remove left -b VERIFIED", ""),
        ("broker top", "broker top -b VERIFIED", ""),
        ("store verify", "store verify --data-dir STORE", ""),
        ("wal inspect", "wal inspect DEVICE", ""),
        ("wal probe", "wal probe DEVICE", ""),
        ("wal format", "wal format DEVICE --yes", ""),
    ];

    private readonly Shell _shell = new(broker.BootstrapServers);

    private static IEnumerable<string> WithJson => CommandTree.All()
        .Where(item => item.Command.Options.Any(option => option.Name == "--json"))
        .Select(item => string.Join(' ', item.Path));

    [Fact]
    public async Task Every_command_prints_an_object_a_line_under_the_names_that_the_document_lists()
    {
        var documented = Documented();
        using var directory = new TemporaryDirectory();
        await using var verified = await MillraceProcess.StartAsync(directory.Sub("verified"));
        await StartAndStopAsync(directory.Sub("left"), directory.Sub("verified/store"), new Shell(verified.BootstrapServers));
        await using var balanced = await MillraceProcess.StartAsync(directory.Sub("balanced"), "--set", "millrace.balancer.mode=on");
        await using var joined = await JoinAsync(directory.Sub("joined"), directory.Sub("balanced/store"), new Shell(balanced.BootstrapServers));
        await File.WriteAllBytesAsync(directory.Sub("device"), new byte[8192], TestContext.Current.CancellationToken);
        await _shell.RunAsync("topic create json-left");
        foreach (var (name, line, input) in Uses)
        {
            if (name == "partition top")
            {
                await KeepBusyAsync(new Shell(verified.BootstrapServers));
            }

            var printed = await _shell.RunAsync(
                $"{line} --json"
                    .Replace("STORE", directory.Sub("verified"), StringComparison.Ordinal)
                    .Replace("DEVICE", directory.Sub("device"), StringComparison.Ordinal)
                    .Replace("VERIFIED", verified.BootstrapServers, StringComparison.Ordinal)
                    .Replace("BALANCED", balanced.BootstrapServers, StringComparison.Ordinal),
                input);

            Assert.True(printed.Lines.Length > 0, $"{line}: {printed.Errors}");
            Assert.All(printed.Lines, row => Assert.Equal(documented[name], JsonNode.Parse(row)!.AsObject().Select(field => field.Key)));
            Assert.All(documented[name], field => Assert.Matches("^[a-z][a-zA-Z]*$", field));
        }
    }

    [Fact]
    public void Every_command_is_tried_and_documented()
    {
        Assert.Equal(WithJson.Order(), Uses.Select(use => Command(use.Documented)).Distinct().Order());
        Assert.Equal(WithJson.Order(), Documented().Keys.Select(Command).Distinct().Order());
    }

    [Fact]
    public async Task A_command_line_that_is_wrong_is_told_in_objects_by_every_command()
    {
        foreach (var command in WithJson)
        {
            var result = await _shell.TryAsync($"{command} --no-such-option --json");

            Assert.Equal("", result.Output);
            Assert.Contains("--no-such-option", Errors(result)[0], StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("topic describe json-missing")]
    [InlineData("topic create json-bad --config no.such=1")]
    [InlineData("group seek json-missing --all-topics --to latest")]
    [InlineData("topic list --profile no-such-profile")]
    [InlineData("topic list --timeout 1 -b 127.0.0.1:1")]
    [InlineData("store verify --data-dir /no/such/folder")]
    public async Task What_cannot_be_done_is_told_in_objects(string command) => Assert.NotEmpty(Errors(await _shell.TryAsync($"{command} --json")));

    [Fact]
    public async Task What_helps_to_understand_a_result_is_an_object_too()
    {
        var result = await _shell.RunAsync("topic create json-dry --dry-run --json");

        Assert.Equal("""{"topic":"json-dry","created":false}""", Assert.Single(result.Lines));
        Assert.Equal(["note"], JsonNode.Parse(result.Errors)!.AsObject().Select(field => field.Key));
    }

    // A broker that can be removed, since it has left, and that a partition has moved to before.
    private static async Task StartAndStopAsync(string directory, string store, Shell other)
    {
        await other.RunAsync("topic create json-moved");
        await other.RunAsync("produce json-moved", "x\n");
        await using var left = await MillraceProcess.StartAsync(directory, "--store", $"file://{store}", "--wal", "object", "--name", "left");
        await other.RunAsync("partition move json-moved --to left --timeout 60");
        Assert.Equal(0, await left.StopAsync());
    }

    // Until a partition is among the busiest: then it is for ten seconds more.
    private static async Task KeepBusyAsync(Shell shell) => Assert.True(await Eventually.BecomesTrueAsync(async () =>
    {
        await shell.RunAsync("produce json-moved", "x\n");
        return (await shell.RunAsync("partition top")).Lines.Length > 0;
    }));

    // A broker that has got its share by itself; what it has too little of since should come to it, but for that it is only advised now.
    private static async Task<MillraceProcess> JoinAsync(string directory, string store, Shell first)
    {
        await first.RunAsync("topic create json-balanced -p 4");
        var joined = await MillraceProcess.StartAsync(directory, "--store", $"file://{store}", "--wal", "object", "--name", "joined");
        Assert.True(await Eventually.BecomesTrueAsync(async () => (await first.RunAsync("balancer history --json --timeout 60")).Lines.Length > 0));
        await first.RunAsync("config set millrace.balancer.mode=advise");
        await first.RunAsync("topic create json-uneven -p 8");
        await first.RunAsync("partition move json-uneven --to 0 --timeout 60");
        return joined;
    }

    private static List<string> Errors(ToolResult result)
    {
        Assert.NotEqual(0, result.ExitCode);
        var lines = result.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!.AsObject()).ToList();
        var errors = lines.Where(line => !line.ContainsKey("note")).ToList();
        Assert.All(errors, error => Assert.Equal(["error", "exitCode"], error.Select(field => field.Key)));
        Assert.All(errors, error => Assert.Equal(result.ExitCode, error["exitCode"]!.GetValue<int>()));
        return [.. errors.Select(error => error["error"]!.GetValue<string>())];
    }

    private static string Command(string documented) => documented.Split(" -")[0];

    // The rows of the document's table: a command, and the names in its objects.
    private static Dictionary<string, string[]> Documented() =>
        Row().Matches(File.ReadAllText(Path.Combine(Repository.Root, "docs", "command-line.md"))).ToDictionary(
            row => row.Groups[1].Value, row => row.Groups[2].Value.Split(", ").Select(name => name.Trim('`')).ToArray());

    [GeneratedRegex(@"^\| `([a-z -]+)` \| ((?:`\w+`(?:, )?)+) \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
