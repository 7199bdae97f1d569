using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Open;

/// <summary>Epochs that the registry was asked to open and at which nothing was appended: the opening failed, or is under way.</summary>
/// <remarks>Threading: any thread. Its lock is taken inside that of the open streams.</remarks>
/// <param name="registry">Closes them.</param>
internal sealed class UnservedOpenings(RegistryCalls registry)
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<StreamId, StreamEpoch> _epochs = [];

    /// <summary>To be called before the registry is asked: that may take effect though its caller hears nothing of it.</summary>
    public void Add(StreamId id, StreamEpoch epoch)
    {
        lock (_lock)
        {
            _epochs.TryAdd(id, epoch);
        }
    }

    /// <summary>The stream has come to serve.</summary>
    public void Remove(StreamId id)
    {
        lock (_lock)
        {
            _epochs.Remove(id);
        }
    }

    /// <summary>Closes them all, together, so that they share questions and entries.</summary>
    public async Task CloseAllAsync(CancellationToken token) =>
        await Task.WhenAll(Ids().Select(id => CloseAsync(id, below: null, token)));

    /// <summary>
    /// Closes the range that an opening left behind which never came to serve: nothing was appended to it, so it ends where the
    /// registry's commits do. One that is opened again at its own epoch (or a lower one, which will be refused) stays as it is.
    /// </summary>
    public async Task CloseAsync(StreamId id, StreamEpoch? below, CancellationToken token)
    {
        StreamEpoch left;
        lock (_lock)
        {
            if (!_epochs.TryGetValue(id, out left) || left >= below)
            {
                return;
            }
        }

        if (await registry.GetCommittedEndAsync(id, token) is { } end)
        {
            try
            {
                await registry.CloseAsync(new StreamClose(id, left, end), token);
            }
            catch (StreamException refused) when (refused.Error == StreamError.Fenced)
            {
                // It was never opened, or this incarnation is fenced, which the next call hears too.
            }
        }

        Remove(id);
    }

    private StreamId[] Ids()
    {
        lock (_lock)
        {
            return [.. _epochs.Keys];
        }
    }
}
