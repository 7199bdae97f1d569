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
    public void Publish(MetadataImage image)
    {
        lock (_lock)
        {
            Invariant.Check(image.Version > _image.Version);
            var delta = MetadataDelta.Between(_image, image);
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
            _observers = _observers.Add(observer);
        }

        return new Subscription(this, observer);
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
        using var subscription = Subscribe(delta =>
        {
            if (condition(delta.After))
            {
                found.TrySetResult(delta.After);
            }
        });
        return await found.Task;
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
