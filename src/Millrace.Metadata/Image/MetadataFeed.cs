using System.Collections.Immutable;
using Millrace.Runtime;

namespace Millrace.Metadata;

/// <summary>The feed of a node: its publisher hands in each new image, observers hear of it in order.</summary>
public sealed class MetadataFeed : IMetadataFeed
{
    private readonly Lock _lock = new();
    private ImmutableList<Action<MetadataDelta>> _observers = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile MetadataImage _image = MetadataImage.Empty;

    public MetadataImage Image => _image;

    /// <summary>Makes an image the newest. Images come in order of their version.</summary>
    public void Publish(MetadataImage image)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            Invariant.Check(image.Version > _image.Version);
            var delta = MetadataDelta.Between(_image, image);
            _image = image;
            foreach (var observer in _observers)
            {
                observer(delta);
            }

            changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        changed.SetResult();
    }

    public IDisposable Subscribe(Action<MetadataDelta> observer)
    {
        lock (_lock)
        {
            observer(MetadataDelta.Between(MetadataImage.Empty, _image));
            _observers = _observers.Add(observer);
        }

        return new Subscription(this, observer);
    }

    public async ValueTask<MetadataImage> WaitAsync(Func<MetadataImage, bool> condition, CancellationToken token)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                changed = _changed.Task;
            }

            // The image is read after the task that the next one completes, so that none is missed.
            var image = _image;
            if (condition(image))
            {
                return image;
            }

            await changed.WaitAsync(token);
        }
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
