using BenchmarkDotNet.Attributes;
using Millrace.Runtime.Buffers;

namespace Millrace.Benchmarks.Micro;

/// <summary>CRC-32C, which every byte passes three times between socket and object.</summary>
public class ChecksumBenchmark
{
    private byte[] _bytes = [];

    [Params(100, 16 << 10, 1 << 20)]
    public int Length { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        _bytes = new byte[Length];
        new Random(1).NextBytes(_bytes);
    }

    [Benchmark]
    public uint Crc() => Crc32C.Of(_bytes);
}
