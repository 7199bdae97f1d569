using Millrace.Metadata.Channel;

namespace Millrace.Controller;

/// <summary>
/// The requests that wait for the controller's loop, in the order they came. A store that is away keeps the loop waiting for its log, and callers come all
/// the same: so their number is bounded, and whoever gives up takes his request back.
/// </summary>
/// <remarks>Threading: adding, taking back and closing by any thread; waiting and taking by the one loop.</remarks>
internal sealed class ControllerQueue
{
    /// <summary>A node has a few requests here at a time, however many streams it opens; clients may have one each.</summary>
    public const int Limit = 32_768;

    private readonly Lock _lock = new();
    private readonly LinkedList<ControllerOperation> _waiting = new();
    private TaskCompletionSource<bool>? _wake;
    private bool _isClosed;

    /// <summary>Nothing more is taken in, for good.</summary>
    public bool IsClosed
    {
        get
        {
            lock (_lock)
            {
                return _isClosed;
            }
        }
    }

    /// <summary>Puts a request behind all others.</summary>
    /// <returns>Its place, for <see cref="TakeBack"/>; null if the queue is closed.</returns>
    /// <exception cref="ControllerException">Busy: it is full, and may have room again later.</exception>
    public LinkedListNode<ControllerOperation>? Add(ControllerOperation operation)
    {
        LinkedListNode<ControllerOperation> place;
        TaskCompletionSource<bool>? wake;
        lock (_lock)
        {
            if (_isClosed)
            {
                return null;
            }

            if (_waiting.Count >= Limit)
            {
                throw new ControllerException(
                    ControllerError.Busy, $"{Limit} requests wait for the metadata log, and no more can: the object store is slow, or away");
            }

            place = _waiting.AddLast(operation);
            (wake, _wake) = (_wake, null);
        }

        wake?.SetResult(true);
        return place;
    }

    /// <summary>Takes a request out again; nothing happens if it is out already.</summary>
    public void TakeBack(LinkedListNode<ControllerOperation> place)
    {
        lock (_lock)
        {
            if (place.List is not null)
            {
                _waiting.Remove(place);
            }
        }
    }

    /// <summary>Completes with true when there may be something to take, with false when nothing more will come.</summary>
    public Task<bool> WaitAsync()
    {
        lock (_lock)
        {
            return _waiting.Count > 0 ? Task.FromResult(true)
                : _isClosed ? Task.FromResult(false)
                : (_wake ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    /// <summary>The oldest request; null if none waits.</summary>
    public ControllerOperation? TryTake()
    {
        lock (_lock)
        {
            if (_waiting.First is not { } oldest)
            {
                return null;
            }

            _waiting.RemoveFirst();
            return oldest.Value;
        }
    }

    /// <summary>Takes nothing more in. What waits can still be taken.</summary>
    public void Close()
    {
        TaskCompletionSource<bool>? wake;
        lock (_lock)
        {
            _isClosed = true;
            (wake, _wake) = (_wake, null);
        }

        wake?.SetResult(false);
    }
}
