using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Wal;

namespace Millrace.Benchmarks.Fencing;

/// <summary>Appends to a WAL, one record after another, until that is refused; remembers what was acknowledged.</summary>
internal sealed class FencedWriter
{
    private const int Bytes = 16 << 10;

    private readonly StreamId _stream;
    private long _acknowledged;

    private FencedWriter(IWriteAheadLog wal, int number)
    {
        _stream = new StreamId(number);
        Ended = Task.Run(() => RunAsync(wal));
    }

    public static FencedWriter Start(IWriteAheadLog wal, int number) => new(wal, number);

    /// <summary>How many records were acknowledged: those of the offsets below.</summary>
    public long Acknowledged => Volatile.Read(ref _acknowledged);

    /// <summary>Ends when an append is refused, with the reason.</summary>
    public Task<StreamError> Ended { get; }

    public static long BytesOf(IEnumerable<FencedWriter> writers) => writers.Sum(writer => writer.Acknowledged) * Bytes;

    /// <summary>Checks that a record is the next one of its writer, byte by byte.</summary>
    /// <exception cref="InvalidDataException">It is another one, or altered.</exception>
    public static void Check(in StreamRecord record, long offset)
    {
        if (record.BaseOffset != offset)
        {
            throw new InvalidDataException($"Writer {record.Stream}: offset {record.BaseOffset} comes where {offset} should");
        }

        Span<byte> expected = stackalloc byte[Bytes];
        Fill(expected, record.Stream, offset);
        if (!record.Payload.Span.SequenceEqual(expected))
        {
            throw new InvalidDataException($"Writer {record.Stream}: the record at offset {offset} is not what was appended");
        }
    }

    private async Task<StreamError> RunAsync(IWriteAheadLog wal)
    {
        var payload = new byte[Bytes];
        for (var offset = 0L; ; offset++)
        {
            Fill(payload, _stream, offset);
            try
            {
                await wal.AppendAsync(new StreamRecord(_stream, new StreamEpoch(1), offset, 1, 0, payload), out _);
            }
            catch (StreamException refused)
            {
                return refused.Error;
            }

            Volatile.Write(ref _acknowledged, offset + 1);
        }
    }

    private static void Fill(Span<byte> bytes, StreamId stream, long offset) => new Random((int)(stream.Value * 1_000_003 + offset)).NextBytes(bytes);
}
