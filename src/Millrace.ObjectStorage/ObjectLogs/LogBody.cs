using System.Buffers;
using Millrace.Runtime.Buffers;

namespace Millrace.ObjectStorage.ObjectLogs;

/// <summary>What one create writes: a put id of its own, and the bytes that carry it. Never changed until the create is settled.</summary>
internal sealed record LogBody(Guid PutId, ReadOnlySequence<byte> Bytes)
{
    public static LogBody Entry(LogPlace place, Guid putId, Guid after, long confirmed, in ReadOnlySequence<byte> payload) =>
        new(putId, Join(LogObjectFormat.WriteHeader(isSeal: false, place, putId, after, confirmed, payload), payload));

    public static LogBody Seal(LogPlace place, Guid putId, Guid after, in ReadOnlySequence<byte> payload) =>
        new(putId, Join(LogObjectFormat.WriteHeader(isSeal: true, place, putId, after, confirmed: -1, payload), payload));

    public static LogBody Marker(LogPlace boundary, Guid putId) =>
        new(putId, new ReadOnlySequence<byte>(LogMarkerFormat.Write(boundary, putId)));

    // The payload goes to the store from where it lies.
    private static ReadOnlySequence<byte> Join(byte[] header, in ReadOnlySequence<byte> payload)
    {
        var joined = new JoinedMemory();
        joined.Add(header);
        joined.Add(payload);
        return joined.ToSequence();
    }
}
