using Millrace.Benchmarks.Streams;

switch (args)
{
    case ["streams"]:
        return await StreamStoreBenchmark.RunAsync();
    default:
        Console.Error.WriteLine("usage: bench streams    append and upload through the stream store alone");
        return args is ["--help"] ? 0 : 1;
}
