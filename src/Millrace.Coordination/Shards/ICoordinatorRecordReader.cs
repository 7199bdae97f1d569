using Millrace.Protocol.Primitives;

namespace Millrace.Coordination.Shards;

/// <summary>Reads the records of one log. Threading: one caller at a time.</summary>
internal interface ICoordinatorRecordReader<TRecord>
{
    /// <summary>Reads a record, keeping none of the memory. False for a kind of record that this version does not know.</summary>
    /// <exception cref="ProtocolException">The bytes are not what their version says.</exception>
    bool TryRead(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte>? value, out TRecord record);
}
