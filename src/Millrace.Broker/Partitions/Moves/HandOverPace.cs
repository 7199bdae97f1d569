using Millrace.Broker.Membership;
using Millrace.Metadata.Image;
using Millrace.Runtime;

namespace Millrace.Broker.Partitions.Moves;

/// <summary>How much goes at a time, and how soon the next may follow, by what the broker's configs say then.</summary>
/// <remarks>
/// Coordinators' partitions keep no rate: they hold little, and while one of them waits behind what others hold, so do the groups that its next leader has read
/// already. Threading: any thread.
/// </remarks>
/// <param name="runtime">The node's.</param>
/// <param name="feed">Tells the configs, and that the broker is about to stop.</param>
/// <param name="self">This broker.</param>
/// <param name="keepsRate">Whether the rate counts; else only how many stop together.</param>
internal sealed class HandOverPace(NodeRuntime runtime, IMetadataFeed feed, BrokerIdentity self, bool keepsRate)
{
    // A timer takes no more than some weeks, and a rate of a byte a second asks for years. It is looked at again after that.
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    /// <summary>As they are now.</summary>
    public HandOverLimits Limits => LimitsIn(feed.Image);

    /// <summary>Waits until so many bytes have taken their time, counted from when their upload began. A change of the limits counts at once.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="token"/> was cancelled.</exception>
    public async Task WaitAsync(long bytes, long began, CancellationToken token)
    {
        while (true)
        {
            var limits = Limits;
            var left = limits.TimeOf(bytes) - runtime.Time.GetElapsedTime(began);
            if (left <= TimeSpan.Zero)
            {
                return;
            }

            // In whole milliseconds, as timers count: what is left of one would be waited for again and again.
            var pause = TimeSpan.FromMilliseconds(Math.Ceiling(Math.Min(left.TotalMilliseconds, LongestPause.TotalMilliseconds)));
            using var over = new CancellationTokenSource(pause, runtime.Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(token, over.Token);
            try
            {
                await feed.WaitAsync(image => LimitsIn(image) != limits, either.Token);
            }
            catch (OperationCanceledException) when (!token.IsCancellationRequested)
            {
                // It is over, or has to be looked at again.
            }
        }
    }

    private HandOverLimits LimitsIn(MetadataImage image)
    {
        var limits = HandOverLimits.Of(self, image);
        return keepsRate ? limits : limits with { BytesPerSecond = long.MaxValue };
    }
}
