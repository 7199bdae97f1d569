using Confluent.Kafka;

namespace Millrace.Server.Cli;

/// <summary>Counts what the broker acknowledged. Called from the client's own thread.</summary>
internal sealed class DeliveryTally
{
    private long _delivered;
    private Error? _firstFailure;

    public long Delivered => Interlocked.Read(ref _delivered);

    public Error? FirstFailure => Volatile.Read(ref _firstFailure);

    public bool HasFailed => FirstFailure is not null;

    public void Add(DeliveryReport<byte[]?, byte[]?> report)
    {
        if (report.Error.IsError)
        {
            Interlocked.CompareExchange(ref _firstFailure, report.Error, null);
        }
        else
        {
            Interlocked.Increment(ref _delivered);
        }
    }
}
