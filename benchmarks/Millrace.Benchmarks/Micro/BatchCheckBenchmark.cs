using BenchmarkDotNet.Attributes;
using Millrace.Protocol.Records;

namespace Millrace.Benchmarks.Micro;

/// <summary>The check of a produced batch: its checksum, and each of its records.</summary>
[MemoryDiagnoser]
public class BatchCheckBenchmark
{
    // A record's own fields, about.
    private const int RecordOverhead = 10;

    private const int BatchBytes = 512 << 10;
    private static readonly RecordBatchRules Rules = new();
    private byte[] _batch = [];

    [Params(100, 1024)]
    public int RecordBytes { get; set; }

    [GlobalSetup]
    public void Build()
    {
        var builder = new RecordBatchBuilder();
        var value = new byte[RecordBytes];
        while (RecordBatchHeader.Size + (builder.Count + 1L) * (RecordBytes + RecordOverhead) < BatchBytes)
        {
            builder.Append(1, null, value);
        }

        _batch = builder.Build();
        if (Check() != RecordBatchError.None)
        {
            throw new InvalidOperationException($"The batch is refused: {Check()}");
        }
    }

    [Benchmark]
    public RecordBatchError Check() => RecordBatchValidator.Validate(_batch, Rules).Error;
}
