using BenchmarkDotNet.Running;
using Millrace.Benchmarks.DataPath;
using Millrace.Benchmarks.Files;
using Millrace.Benchmarks.SideBySide;
using Millrace.Benchmarks.Streams;
using Millrace.Benchmarks.Wal;

switch (args.FirstOrDefault())
{
    case "kafka":
        return SideBySideCommand.Run(args[1..]);
    case "datapath":
        return await DataPathBenchmark.RunAsync();
    case "streams":
        return await StreamStoreBenchmark.RunAsync();
    case "wal":
        return await WalBenchmark.RunAsync(args.ElementAtOrDefault(1) ?? Path.GetTempPath());
    case "files":
        return await FilesBenchmark.RunAsync(args.ElementAtOrDefault(1) ?? Path.GetTempPath());
    case "micro":
        BenchmarkSwitcher.FromAssembly(typeof(BrokerUnderTest).Assembly).Run(args[1..]);
        return 0;
    default:
        Console.WriteLine("""
            ./bench kafka [--gigabytes N] [--rounds N] [--only millrace|kafka] [--shape 1024x100]
                Millrace and Apache Kafka side by side under the same clients: start, memory, throughput, latency.
            ./bench datapath
                Produce and fetch from request bytes to response bytes, without network and WAL.
            ./bench streams
                Append and upload through the stream store alone.
            ./bench wal [FOLDER]
                Append to a file WAL alone, buffered and direct.
            ./bench files [FOLDER]
                Put and read large objects of the directory store, through the page cache and past it.
            ./bench micro [BenchmarkDotNet arguments]
                Parts of the product by themselves; --list flat names them.
            """);
        return args is ["--help"] ? 0 : 2;
}
