namespace Millrace.Benchmarks.Wal;

/// <summary>What a device is asked for past the product.</summary>
/// <param name="Bytes">Of each write, in whole sectors.</param>
/// <param name="AtOnce">How many are under way at any time.</param>
/// <param name="IsDurable">Each is followed by a flush.</param>
/// <param name="PerSecond">How often one begins; null: as soon as another has ended.</param>
internal sealed record RawWork(int Bytes, int AtOnce, bool IsDurable, double? PerSecond = null);
