namespace Millrace.Protocol.Records;

/// <summary>Walks over the headers of a record that a <see cref="RecordReader"/> has checked.</summary>
public ref struct RecordHeaderReader
{
    private readonly ReadOnlySpan<byte> _headers;
    private int _left;
    private int _position;

    internal RecordHeaderReader(ReadOnlySpan<byte> headers, int count)
    {
        _headers = headers;
        _left = count;
    }

    /// <summary>UTF-8.</summary>
    public ReadOnlySpan<byte> Key { get; private set; }

    public bool HasValue { get; private set; }

    /// <summary>Empty when there is none.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    public bool MoveNext()
    {
        if (_left-- <= 0
            || !RecordReader.TryReadSlice(_headers, ref _position, out var keyAt, out var keyLength)
            || !RecordReader.TryReadSlice(_headers, ref _position, out var valueAt, out var valueLength))
        {
            return false;
        }

        Key = _headers.Slice(keyAt, keyLength);
        HasValue = valueLength >= 0;
        Value = HasValue ? _headers.Slice(valueAt, valueLength) : default;
        return true;
    }
}
