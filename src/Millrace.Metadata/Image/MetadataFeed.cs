using System.Collections.Immutable;
using Millrace.Runtime;

namespace Millrace.Metadata.Image;

/// <summary>The feed of a node: its publisher hands in each new image, observers hear of it in order.</summary>
public sealed class MetadataFeed : IMetadataFeed
{
    private readonly Lock _lock = new();
    private ImmutableList<Action<MetadataDelta>> _observers = [];
    private volatile MetadataImage _image = MetadataImage.Empty;

    public MetadataImage Image => _image;

    /// <summary>Makes an image the newest. Images come in order of their version.</summary>
    /// <param name="image">The image.</param>
    /// <param name="touched">The topics that may have changed since the one before; null if nobody knows.</param>
    public void Publish(MetadataImage image, TouchedTopics? touched = null)
    {
        lock (_lock)
        {
            Invariant.Check(image.Version > _image.Version);
            var delta = MetadataDelta.Between(_image, image, touched);
            _image = image;
            foreach (var observer in _observers)
            {
                observer(delta);
            }
        }
    }

    public IDisposable Subscribe(Action<MetadataDelta> observer)
    {
        lock (_lock)
        {
            observer(MetadataDelta.Between(MetadataImage.Empty, _image));
            return Add_NeedsLock(observer);
        }
    }

    public async ValueTask<MetadataImage> WaitAsync(Func<MetadataImage, bool> condition, CancellationToken token)
    {
        var present = _image;
        if (condition(present))
        {
            return present;
        }

        var found = new TaskCompletionSource<MetadataImage>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = token.UnsafeRegister(_ => found.TrySetCanceled(token), null);
        using var watch = Watch(image =>
        {
            if (condition(image))
            {
                found.TrySetResult(image);
            }
        });
        return await found.Task;
    }

    /// <summary>
    /// Shows the newest image, and each one that comes. Whoever wants no more is spared the step from the empty one, which costs a look at every topic.
    /// </summary>
    private Subscription Watch(Action<MetadataImage> watcher)
    {
        lock (_lock)
        {
            watcher(_image);
            return Add_NeedsLock(delta => watcher(delta.After));
        }
    }

    private Subscription Add_NeedsLock(Action<MetadataDelta> observer)
    {
        _observers = _observers.Add(observer);
        return new Subscription(this, observer);
    }

    private void Remove(Action<MetadataDelta> observer)
    {
        lock (_lock)
        {
            _observers = _observers.Remove(observer);
        }
    }

    private sealed class Subscription(MetadataFeed feed, Action<MetadataDelta> observer) : IDisposable
    {
        public void Dispose() => feed.Remove(observer);
    }
}
