using System.Buffers;
using Millrace.Protocol.Primitives;

namespace Millrace.Coordination.Shards;

/// <summary>The persisted form of a shard's records.</summary>
internal interface ICoordinatorRecordCodec<TRecord>
{
    /// <summary>Writes the record's key.</summary>
    void WriteKey(TRecord record, IBufferWriter<byte> key);

    /// <summary>Writes the record's value, unless it has none: then it is a tombstone.</summary>
    /// <returns>Whether there is a value.</returns>
    bool WriteValue(TRecord record, IBufferWriter<byte> value);

    /// <summary>Reads a record, keeping none of the memory. False for a kind of record that this version does not know.</summary>
    /// <exception cref="ProtocolException">The bytes are not what their version says.</exception>
    bool TryRead(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte>? value, out TRecord record);
}
