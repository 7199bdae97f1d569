using System.Buffers;
using Millrace.Runtime;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Objects;

/// <summary>A data object ready to be written. Its body refers to the payloads where they are.</summary>
/// <param name="body">The whole object.</param>
/// <param name="tables">Memory of everything in the body that is no payload, or null if it needs none; released with the object.</param>
/// <param name="index">What the body ends with.</param>
/// <param name="ranges">What the registry is to know of it.</param>
internal sealed class DataObject(
    ReadOnlySequence<byte> body, PooledBuffer tables, DataObjectIndex index, IReadOnlyList<ObjectRange> ranges) : IDisposable
{
    public string Key { get; } = DataObjectKey.Of(index.Object);

    public ReadOnlySequence<byte> Body => body;

    public DataObjectIndex Index => index;

    public IReadOnlyList<ObjectRange> Ranges => ranges;

    public void Dispose() => tables.Release();
}
