namespace Millrace.Metadata.Channel;

/// <summary>
/// An incarnation's right to answer reads from what it holds: while it lasts, no other node acknowledges anything in the incarnation's place. No read that
/// arrived after a successor's acknowledgement is answered from before it.
/// </summary>
/// <remarks>Threading: any thread.</remarks>
public interface IReadLease
{
    /// <summary>Whether an answer that is complete by now may be given. Costs a look at the clock.</summary>
    bool IsHeld { get; }

    /// <summary>Waits until an answer that is complete by now may be given.</summary>
    /// <param name="patience">How long it is waited for.</param>
    /// <param name="token">Ends the wait.</param>
    /// <returns>False if the patience was over first: whether the answer is true is not known.</returns>
    ValueTask<bool> WaitAsync(TimeSpan patience, CancellationToken token);
}
