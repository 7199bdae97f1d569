namespace Millrace.Benchmarks.Failover;

/// <summary>
/// A producer that writes to all partitions of a new topic in turn, at a steady pace, as soon as it is there: the n-th record of a partition is
/// <see cref="NumberedRecord"/> n, so that whatever is lost, doubled, out of order or altered can be seen in the log.
/// </summary>
internal interface IRecordWriter : IDisposable
{
    /// <summary>Records acknowledged so far.</summary>
    long Count { get; }

    /// <summary>Records of a partition that are acknowledged.</summary>
    long Acknowledged(int partition);

    /// <inheritdoc cref="AcknowledgementGaps.Take"/>
    TimeSpan[] LongestGaps();

    /// <summary>Waits until each partition acknowledges.</summary>
    /// <exception cref="TimeoutException">One does not in time.</exception>
    /// <exception cref="InvalidOperationException">It has ended instead.</exception>
    void WaitForAll(TimeSpan limit);

    /// <summary>Ends, and waits until all that was sent is acknowledged.</summary>
    /// <exception cref="InvalidOperationException">Something was not: the application has seen an error.</exception>
    void Finish();
}
