using Millrace.Streams.Objects;

namespace Millrace.Streams.Compaction;

/// <summary>What a stream's owner keeps with a range, and goes along with it.</summary>
internal readonly record struct KeptAttachment(SourceObject Source, AttachmentEntry Entry);
