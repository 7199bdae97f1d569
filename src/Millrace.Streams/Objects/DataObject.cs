using System.Buffers;
using Millrace.Runtime.Buffers;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Objects;

/// <summary>A data object ready to be written. Its body refers to large payloads where they are.</summary>
/// <param name="body">The whole object.</param>
/// <param name="pieces">What the body lies in, beside the payloads; released with it.</param>
/// <param name="heldBytes">Memory that it keeps alive beside the payloads it refers to.</param>
/// <param name="index">What the body ends with.</param>
/// <param name="ranges">What the registry is to know of it.</param>
internal sealed class DataObject(
    ReadOnlySequence<byte> body, List<PooledBuffer> pieces, long heldBytes, DataObjectIndex index, IReadOnlyList<ObjectRange> ranges) : IDisposable
{
    public string Key { get; } = DataObjectKey.Of(index.Object);

    public ReadOnlySequence<byte> Body => body;

    public long HeldBytes => heldBytes;

    public DataObjectIndex Index => index;

    public IReadOnlyList<ObjectRange> Ranges => ranges;

    public void Dispose()
    {
        pieces.ForEach(piece => piece.Release());
        pieces.Clear();
    }
}
