namespace Millrace.ObjectStorage.ObjectLogs;

/// <summary>How one object log is used. Settings of its user, not of operators.</summary>
public sealed record ObjectLogOptions
{
    /// <summary>
    /// How many appends may be under way at once. A constant of the user's format: who takes a term over relies on the number
    /// that its owner used.
    /// </summary>
    public int InFlight { get; init; } = 1;

    /// <summary>How many objects a reader asks for at once.</summary>
    public int ReadAhead { get; init; } = 16;

    /// <summary>How many of their bytes, beside those of the object that it is at: each is held whole in memory.</summary>
    public long ReadAheadBytes { get; init; } = 16 << 20;

    /// <summary>
    /// How long one request may take, beside the time that its bytes get (more with each attempt), before its outcome counts as unknown and it is
    /// made again.
    /// </summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// The same of a first attempt; each next one may take twice as long, up to <see cref="RequestTimeout"/>, and a store that was slow of late has three times
    /// what it took. Whatever is appended behind an append waits for it, and so do all who wait for those: one request that is lost on its way is not worth
    /// that, and a node that stands still for seconds is given up.
    /// </summary>
    public TimeSpan FirstTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often a reader that waits at the tail looks for more. At most a second.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>The first pause before a request is made again; each next one is twice as long, up to <see cref="LongestBackOff"/>.</summary>
    public TimeSpan FirstBackOff { get; init; } = TimeSpan.FromMilliseconds(25);

    public TimeSpan LongestBackOff { get; init; } = TimeSpan.FromSeconds(2);
}
