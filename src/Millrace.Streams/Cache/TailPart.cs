namespace Millrace.Streams.Cache;

/// <summary>What one stream has in the tail cache. Whoever queues there holds this, and by it the stream only for as long as it is open.</summary>
/// <remarks>Threading: the tail cache's lock.</remarks>
/// <param name="holder">The stream.</param>
internal sealed class TailPart(ITailHolder holder)
{
    /// <summary>Null when it has ended.</summary>
    public ITailHolder? Holder { get; private set; } = holder;

    /// <summary>Its part of what the tail cache counts.</summary>
    public long Bytes { get; set; }

    public void End() => (Holder, Bytes) = (null, 0);
}
