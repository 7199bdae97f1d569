namespace Millrace.Broker.Purgatory;

/// <summary>A point in a partition's progress, against which a fetch sees whether anything happened since.</summary>
/// <param name="Bytes">How many bytes had become readable.</param>
/// <param name="Endings">How often something had happened that every fetch must be told of.</param>
internal readonly record struct ProgressMark(long Bytes, int Endings);
