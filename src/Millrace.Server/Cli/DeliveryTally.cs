using Confluent.Kafka;

namespace Millrace.Server.Cli;

/// <summary>Counts what the broker acknowledged. Called from the client's own thread.</summary>
internal sealed class DeliveryTally
{
    private long _delivered;
    private DeliveryFailure? _firstFailure;

    public long Delivered => Interlocked.Read(ref _delivered);

    /// <summary>The first that was heard of; records before it may still be under way.</summary>
    public DeliveryFailure? FirstFailure => Volatile.Read(ref _firstFailure);

    /// <param name="report">What became of a record.</param>
    /// <param name="line">Of the input, counted from 1.</param>
    public void Add(DeliveryReport<byte[]?, byte[]?> report, long line)
    {
        if (report.Error.IsError)
        {
            Interlocked.CompareExchange(ref _firstFailure, new DeliveryFailure(line, report.Error), null);
        }
        else
        {
            Interlocked.Increment(ref _delivered);
        }
    }
}
