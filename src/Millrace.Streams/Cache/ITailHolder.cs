namespace Millrace.Streams.Cache;

/// <summary>Whoever has uploaded records in memory that may go: a stream.</summary>
internal interface ITailHolder
{
    /// <summary>Lets records that end at or below an offset go, as far as they are uploaded.</summary>
    void EvictUploaded(long endOffset);
}
