using Millrace.Metadata;
using Millrace.Protocol.Primitives;
using Millrace.Runtime;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.State;

/// <summary>Reads the ranges of an upload's record, as <see cref="UploadWriter"/> has packed them.</summary>
internal ref struct UploadReader(UploadCommittedRecord record)
{
    private KafkaReader _bytes = new(record.Ranges);
    private long _stream;
    private int _object;
    private long _timestamp;

    /// <summary>The stream of the next range; false behind the last. <see cref="ReadRange"/> follows.</summary>
    /// <exception cref="ProtocolException">The bytes are malformed.</exception>
    public bool TryReadStream(out StreamId stream)
    {
        stream = default;
        if (_bytes.Remaining == 0)
        {
            return false;
        }

        var packed = _bytes.ReadVarlong();
        _stream += packed >> 1;
        stream = new StreamId(_stream);
        if ((packed & 1) != 0)
        {
            _object = (int)_bytes.ReadUnsignedVarint();
            Invariant.Check(_object >= 0 && _object < record.Objects.Count);
        }

        return true;
    }

    /// <param name="startOffset">The stream's committed end.</param>
    /// <exception cref="ProtocolException">The bytes are malformed.</exception>
    public RangeState ReadRange(long startOffset) =>
        RangeState.Unpack(ref _bytes, new ObjectId(record.Objects[_object].ObjectId), startOffset, ref _timestamp);
}
