namespace Millrace.Benchmarks.SideBySide;

/// <summary>What moving some data cost.</summary>
/// <param name="MegabytesPerSecond">Payload, in millions of bytes.</param>
/// <param name="CpuSecondsPerGigabyte">Of the broker alone, for 10^9 bytes of payload.</param>
/// <param name="PeakMegabytes">The broker's largest resident memory meanwhile.</param>
internal readonly record struct Throughput(double MegabytesPerSecond, double CpuSecondsPerGigabyte, double PeakMegabytes);
