using Millrace.Runtime.Ids;

namespace Millrace.Streams;

/// <summary>Records of one stream that lie one behind the other in one object of a WAL in the store, where any node may read them.</summary>
/// <param name="Location">Where the WAL lies.</param>
/// <param name="Term">Of the object's place in it.</param>
/// <param name="Index">The same.</param>
/// <param name="Epoch">At which they were appended: an object may have others of the stream, which were never acknowledged.</param>
/// <param name="EndOffset">Where these records end.</param>
/// <param name="Bytes">Their payload, from the offset on that was asked for.</param>
public readonly record struct WalExtent(string Location, long Term, long Index, StreamEpoch Epoch, long EndOffset, long Bytes);
