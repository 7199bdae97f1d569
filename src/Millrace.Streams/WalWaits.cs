namespace Millrace.Streams;

/// <summary>How long appends have waited until they were durable, since the store began.</summary>
/// <param name="Appends">How many.</param>
/// <param name="Time">All of them together.</param>
public readonly record struct WalWaits(long Appends, TimeSpan Time)
{
    /// <summary>The mean of those since an earlier moment; zero if there was none.</summary>
    public TimeSpan MeanSince(WalWaits before) => Appends > before.Appends ? (Time - before.Time) / (Appends - before.Appends) : TimeSpan.Zero;
}
