namespace Millrace.Streams.Wal.Inspection;

/// <summary>How long a device takes, one thing after another, past the page cache.</summary>
/// <param name="Read">4 KiB somewhere.</param>
/// <param name="Write">4 KiB behind the last; null where nothing was written.</param>
/// <param name="Flush">What makes such a write durable.</param>
/// <param name="BytesPerSecond">Of writes of 1 MiB, four at once, with a flush at the end.</param>
public sealed record DeviceSpeed(Percentiles Read, Percentiles? Write, Percentiles? Flush, double? BytesPerSecond);
