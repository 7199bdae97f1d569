using System.Buffers;
using Millrace.Runtime.Buffers;

namespace Millrace.Streams.Wal.Object;

/// <summary>A group of appends on its way into one object.</summary>
internal sealed class ObjectWalBatch(WalAppendQueue.Group appends)
{
    private readonly GatheredRecords _records = new();

    public WalAppendQueue.Group Appends => appends;

    /// <summary>Lays the batch out. It is held until <see cref="Release"/>.</summary>
    public ReadOnlySequence<byte> Build(BufferPool pool)
    {
        _records.Build(pool, appends, ObjectWalFormat.HeadSize, alignment: 1, GatheredRecords.CopiedPayload);
        ObjectWalFormat.WriteHead(_records.Head, appends.Count, appends.First!.Position);
        var joined = new JoinedMemory();
        foreach (var part in _records.Parts)
        {
            joined.Add(part);
        }

        return joined.ToSequence();
    }

    public void Release() => _records.Release();
}
