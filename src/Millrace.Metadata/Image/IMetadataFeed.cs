namespace Millrace.Metadata.Image;

/// <summary>Where a broker learns what the cluster looks like.</summary>
/// <remarks>Threading: any thread.</remarks>
public interface IMetadataFeed
{
    /// <summary>The newest committed image that this node knows. Only rises in version.</summary>
    MetadataImage Image { get; }

    /// <summary>
    /// Calls <paramref name="observer"/> with every step from now on, in order and one at a time, first with the step from the
    /// empty image to the present one (before this returns). It runs on the publisher's loop: it must neither block nor throw.
    /// </summary>
    /// <returns>Disposing ends the subscription; a call under way may still end after it.</returns>
    IDisposable Subscribe(Action<MetadataDelta> observer);

    /// <summary>Waits until <see cref="Image"/> satisfies a condition, and returns it: e.g. that a topic just created is known here.</summary>
    ValueTask<MetadataImage> WaitAsync(Func<MetadataImage, bool> condition, CancellationToken token);
}
