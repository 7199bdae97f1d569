using System.Buffers;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Objects;

/// <summary>A data object ready to be written. Its body refers to large payloads where they are.</summary>
/// <param name="body">The whole object; released with it.</param>
/// <param name="index">What the body ends with.</param>
/// <param name="ranges">What the registry is to know of it.</param>
internal sealed class DataObject(DataObjectBody body, DataObjectIndex index, IReadOnlyList<ObjectRange> ranges) : IDisposable
{
    public string Key { get; } = DataObjectKey.Of(index.Object);

    public ReadOnlySequence<byte> Body { get; } = body.ToSequence();

    /// <summary>Memory that it keeps alive beside the payloads it refers to.</summary>
    public long HeldBytes => body.HeldBytes;

    public DataObjectIndex Index => index;

    public IReadOnlyList<ObjectRange> Ranges => ranges;

    public void Dispose() => body.Dispose();
}
