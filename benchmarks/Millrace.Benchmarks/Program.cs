using System.CommandLine;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Millrace.Benchmarks;
using Millrace.Benchmarks.Balancing;
using Millrace.Benchmarks.Coordinators;
using Millrace.Benchmarks.DataPath;
using Millrace.Benchmarks.Drain;
using Millrace.Benchmarks.Failover;
using Millrace.Benchmarks.Fencing;
using Millrace.Benchmarks.Files;
using Millrace.Benchmarks.Growth;
using Millrace.Benchmarks.Metadata;
using Millrace.Benchmarks.Micro;
using Millrace.Benchmarks.Moves;
using Millrace.Benchmarks.Opening;
using Millrace.Benchmarks.Racks;
using Millrace.Benchmarks.Rolling;
using Millrace.Benchmarks.Scaling;
using Millrace.Benchmarks.SideBySide;
using Millrace.Benchmarks.Streams;
using Millrace.Benchmarks.Trickle;
using Millrace.Benchmarks.Wal;

var folder = new Argument<string>("FOLDER")
{
    Description = "On the disk to be measured.",
    DefaultValueFactory = _ => Path.GetTempPath(),
};

var dataPath = new Command("datapath", "Produce and fetch from request bytes to response bytes, without network and WAL.");
dataPath.SetAction(_ => DataPathBenchmark.RunAsync());
var streams = new Command("streams", "Append and upload through the stream store alone.");
streams.SetAction(_ => StreamStoreBenchmark.RunAsync());
var files = new Command("files", "Put and read large objects of the directory store, through the page cache and past it.") { folder };
files.SetAction(parsed => FilesBenchmark.RunAsync(parsed.GetValue(folder)!));
var partitions = new Option<int>("--partitions") { Description = "How many, in thousands.", DefaultValueFactory = _ => 100 };
var ranges = new Option<int>("--ranges") { Description = "Uploads of each.", DefaultValueFactory = _ => 100 };
var metadata = new Command("metadata", "The metadata of many partitions: in memory, in the log, in a snapshot, and how long that loads.")
{
    partitions,
    ranges,
};
metadata.SetAction(parsed => MetadataBenchmark.RunAsync(parsed.GetValue(partitions) * 1_000, parsed.GetValue(ranges)));
var opened = new Option<int>("--partitions") { Description = "How many.", DefaultValueFactory = _ => 10_000 };
var topics = new Option<int>("--topics") { Description = "Among how many topics they are.", DefaultValueFactory = _ => 10 };
var objects = new Option<int>("--objects") { Description = "Objects of the WAL that is taken over.", DefaultValueFactory = _ => 1_000 };
var opening = new Command("opening", "Recover a WAL in the store, and open many partitions at once, from a directory near and far.")
{
    opened,
    topics,
    objects,
};
opening.SetAction(parsed => OpeningBenchmark.RunAsync(parsed.GetValue(opened), parsed.GetValue(topics), parsed.GetValue(objects)));
var committed = new Option<int>("--offsets") { Description = "How many.", DefaultValueFactory = _ => 1_000_000 };
var groups = new Option<int>("--groups") { Description = "Among how many groups they are.", DefaultValueFactory = _ => 1_000 };
var shard = new Command("shard", "Load a shard of the group coordinator from a log in memory.") { committed, groups };
shard.SetAction(parsed => ShardLoadBenchmark.RunAsync(parsed.GetValue(committed), parsed.GetValue(groups)));
var micro = new Command("micro", "Parts of the product by themselves, by BenchmarkDotNet, which gets the arguments: --list flat names them.")
{
    TreatUnmatchedTokensAsErrors = false,
};
micro.SetAction(parsed =>
{
    // In this process: the checkout's output folders are not where BenchmarkDotNet would look for a build of its own.
    var config = DefaultConfig.Instance
        .AddJob(Job.ShortRun.WithToolchain(new InProcessEmitToolchain(new())))
        .WithArtifactsPath(Path.Combine(Checkout.Root, "artifacts", "benchmarks"));
    BenchmarkSwitcher.FromAssembly(typeof(ChecksumBenchmark).Assembly).Run([.. parsed.UnmatchedTokens], config);
});

return await new RootCommand("Measures Millrace, and Apache Kafka beside it.")
    {
        SideBySideCommand.Create(), FailoverCommand.Create(), FencingCommand.Create(), MovesCommand.Create(), CutsCommand.Create(), DrainCommand.Create(),
        RollingCommand.Create(),
        BalanceCommand.Create(), ScaleCommand.Create(), RackCommand.Create(), GrowthCommand.Create(), TrickleCommand.Create(), dataPath, streams,
        WalCommand.Create(folder), files,
        metadata, opening, shard, micro,
    }
    .Parse(args)
    .InvokeAsync();
