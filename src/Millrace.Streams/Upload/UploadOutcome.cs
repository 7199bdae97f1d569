using Millrace.Streams.Objects;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Upload;

/// <summary>What became of one range of an upload.</summary>
/// <param name="Range">As it was offered to the registry.</param>
/// <param name="Verdict">The registry's judgement.</param>
/// <param name="Index">The index of the object that holds it, which readers need not fetch again.</param>
internal readonly record struct UploadOutcome(ObjectRange Range, RangeVerdict Verdict, DataObjectIndex Index);
