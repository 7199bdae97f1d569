namespace Millrace.Streams.Wal;

/// <summary>A sealed WAL, open for reading what it holds.</summary>
public interface ISealedWal : IAsyncDisposable
{
    WalDescriptor Descriptor { get; }

    /// <summary>
    /// Every record that could have been acknowledged and was not trimmed, in log order; some that were trimmed may come too. Payloads are valid
    /// until the next step.
    /// </summary>
    IAsyncEnumerable<StreamRecord> ReadAsync(CancellationToken token);

    /// <summary>Everything in it is committed in objects: the WAL may go.</summary>
    ValueTask CompleteAsync(CancellationToken token);
}
