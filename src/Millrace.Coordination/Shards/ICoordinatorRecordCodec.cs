using System.Buffers;

namespace Millrace.Coordination.Shards;

/// <summary>The persisted form of a shard's records.</summary>
internal interface ICoordinatorRecordCodec<TRecord>
{
    /// <summary>Writes the record's key.</summary>
    void WriteKey(TRecord record, IBufferWriter<byte> key);

    /// <summary>Writes the record's value, unless it has none: then it is a tombstone.</summary>
    /// <returns>Whether there is a value.</returns>
    bool WriteValue(TRecord record, IBufferWriter<byte> value);

    /// <summary>For one log, whose records it is given one after another.</summary>
    ICoordinatorRecordReader<TRecord> NewReader();
}
