using System.CommandLine;
using Millrace.Benchmarks.Failover;

namespace Millrace.Benchmarks.Scaling;

/// <summary>
/// <c>./bench scaling</c>: the scaler's command starts and stops brokers as a load rises and falls: when each comes and goes, and what clients see of it.
/// </summary>
internal static class ScaleCommand
{
    public static Command Create()
    {
        var partitions = new Option<int>("--partitions") { Description = "Of each topic.", DefaultValueFactory = _ => 6 };
        var target = new Option<int>("--target") { Description = "What a broker is to take and give, in KB per second.", DefaultValueFactory = _ => 3_000 };
        var record = new Option<int>("--record") { Description = "Bytes of a record; at least 8.", DefaultValueFactory = _ => 1_000 };
        var seconds = new Option<double>("--seconds") { Description = "How long each load stays.", DefaultValueFactory = _ => 75 };
        var rounds = new Option<int>("--rounds") { Description = "How often it rises and falls.", DefaultValueFactory = _ => 2 };
        var command = new Command("scaling", "The scaler has brokers started and stopped as a load rises and falls.")
        {
            partitions, target, record, seconds, rounds,
        };
        command.SetAction(async (parsed, _) =>
        {
            using var folder = new ScratchFolder();
            var store = $"file://{folder.Path}/store";
            using var called = new CalledBrokers(folder.Path, store);
            using var cluster = new ClusterUnderTest(
                folder.Path, store, brokers: 1, logLevel: "warning", settings: [.. ScaleRun.Settings(parsed.GetValue(target) * 1_000L), called.Setting]);
            await new ScaleRun(
                cluster,
                called,
                parsed.GetValue(partitions),
                parsed.GetValue(target) * 1_000d,
                parsed.GetValue(record),
                TimeSpan.FromSeconds(parsed.GetValue(seconds))).MeasureAsync(parsed.GetValue(rounds));
        });
        return command;
    }
}
