namespace Millrace.Protocol.Records;

/// <summary>A record as it lies in its batch.</summary>
public readonly ref struct RecordView
{
    private readonly ReadOnlySpan<byte> _body;
    private readonly (int Start, int Length) _key;
    private readonly (int Start, int Length) _value;
    private readonly int _headersAt;

    internal RecordView(
        ReadOnlySpan<byte> body,
        long timestampDelta,
        int offsetDelta,
        (int Start, int Length) key,
        (int Start, int Length) value,
        int headersAt,
        int headerCount)
    {
        _body = body;
        _key = key;
        _value = value;
        _headersAt = headersAt;
        TimestampDelta = timestampDelta;
        OffsetDelta = offsetDelta;
        HeaderCount = headerCount;
    }

    /// <summary>Milliseconds after the batch's base timestamp.</summary>
    public long TimestampDelta { get; }

    /// <summary>Distance from the batch's base offset.</summary>
    public int OffsetDelta { get; }

    public int HeaderCount { get; }

    public bool HasKey => _key.Length >= 0;

    public bool HasValue => _value.Length >= 0;

    /// <summary>Empty when there is none.</summary>
    public ReadOnlySpan<byte> Key => HasKey ? _body.Slice(_key.Start, _key.Length) : default;

    /// <summary>Empty when there is none.</summary>
    public ReadOnlySpan<byte> Value => HasValue ? _body.Slice(_value.Start, _value.Length) : default;

    public RecordHeaderReader Headers => new(_body[_headersAt..], HeaderCount);
}
