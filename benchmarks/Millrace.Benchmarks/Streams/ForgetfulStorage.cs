using System.Buffers;
using Millrace.ObjectStorage;

namespace Millrace.Benchmarks.Streams;

/// <summary>A store that copies what it is given, as a socket would, and keeps nothing.</summary>
internal sealed class ForgetfulStorage : IObjectStorage
{
    public string Name => "nowhere:";

    public ValueTask<bool> TryCreateAsync(string key, ReadOnlySequence<byte> body, CancellationToken token) => throw Unused();

    public ValueTask PutAsync(string key, ReadOnlySequence<byte> body, CancellationToken token)
    {
        var socket = ArrayPool<byte>.Shared.Rent(1 << 20);
        foreach (var segment in body)
        {
            for (var rest = segment.Span; !rest.IsEmpty; rest = rest[Math.Min(rest.Length, socket.Length)..])
            {
                rest[..Math.Min(rest.Length, socket.Length)].CopyTo(socket);
            }
        }

        ArrayPool<byte>.Shared.Return(socket);
        return default;
    }

    public ValueTask<byte[]?> GetAsync(string key, CancellationToken token) => throw Unused();

    public ValueTask<int> ReadAsync(string key, long position, Memory<byte> destination, CancellationToken token) => throw Unused();

    public ValueTask<IReadOnlyList<ObjectEntry>> ListAsync(string prefix, string? startAfter, int limit, CancellationToken token) => throw Unused();

    public ValueTask DeleteAsync(IReadOnlyList<string> keys, CancellationToken token) => throw Unused();

    public ValueTask<IReadOnlyList<UnfinishedUpload>> ListUnfinishedUploadsAsync(string prefix, CancellationToken token) => throw Unused();

    public ValueTask AbortUploadAsync(UnfinishedUpload upload, CancellationToken token) => throw Unused();

    public ValueTask DisposeAsync() => default;

    private static NotSupportedException Unused() => new("The benchmark only writes");
}
