using Millrace.Streams.Objects;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Upload;

/// <summary>What became of one range of an upload, or of a part of it.</summary>
/// <param name="Range">As it was offered to the registry; without an object if it never was.</param>
/// <param name="Verdict">The registry's judgement.</param>
/// <param name="Index">The index of the object that holds it, which readers need not fetch again.</param>
/// <param name="IsClosed">The stream's range is closed in the registry, as was asked.</param>
/// <param name="RangeCount">How many ranges the stream has in the registry then; null where that is not told.</param>
/// <param name="Failure">Why it can never be uploaded, whatever the others do; null where the registry has judged.</param>
internal readonly record struct UploadOutcome(
    ObjectRange Range, RangeVerdict Verdict, DataObjectIndex? Index, bool IsClosed = false, int? RangeCount = null, Exception? Failure = null);
