using System.Diagnostics;
using System.Globalization;
using Millrace.Benchmarks.Failover;

namespace Millrace.Benchmarks.Moves;

/// <summary>A producer of another client's, in a process of its own, which tells of each acknowledgement in a line. It ends with its input.</summary>
/// <remarks>Threading: reads what it tells on a thread of its own.</remarks>
internal sealed class ClientProcess : IRecordWriter
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _name;
    private readonly long[] _acknowledged;
    private readonly AcknowledgementGaps _gaps;
    private readonly Process _process;
    private readonly Task<string> _errors;
    private readonly Thread _thread;
    private volatile string? _failure;

    public ClientProcess(OtherClient client, string bootstrapServers, string topic, int partitions, WriterOptions writing)
    {
        _name = client.Name;
        _acknowledged = new long[partitions];
        _gaps = new AcknowledgementGaps(partitions);
        _process = Process.Start(new ProcessStartInfo(client.Program, client.ArgumentsFor(bootstrapServers, topic, partitions, writing))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _errors = _process.StandardError.ReadToEndAsync();
        _thread = new Thread(Read) { IsBackground = true };
        _thread.Start();
    }

    public long Count => Enumerable.Range(0, _acknowledged.Length).Sum(Acknowledged);

    public long Acknowledged(int partition) => Volatile.Read(ref _acknowledged[partition]);

    public TimeSpan[] LongestGaps() => _gaps.Take();

    public void WaitForAll(TimeSpan limit)
    {
        if (!SpinWait.SpinUntil(() => !_thread.IsAlive || Missing() == 0, limit))
        {
            throw new TimeoutException($"{Missing()} of {_acknowledged.Length} partitions have acknowledged nothing for {limit.TotalSeconds:F0} s");
        }

        if (!_thread.IsAlive)
        {
            throw Ended();
        }
    }

    public void Finish()
    {
        _process.StandardInput.Close();
        if (!_thread.Join(Patience) || !_process.WaitForExit(Patience))
        {
            throw new InvalidOperationException(
                $"The {_name} client has not ended {Patience.TotalSeconds:F0} s after its input; {Count} records are acknowledged");
        }

        if (_process.ExitCode != 0 || _failure is not null)
        {
            throw Ended();
        }
    }

    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _thread.Join();
        _process.Dispose();
    }

    private int Missing() => Enumerable.Range(0, _acknowledged.Length).Count(partition => Acknowledged(partition) == 0);

    private InvalidOperationException Ended()
    {
        _process.WaitForExit();
        return new InvalidOperationException($"The {_name} client ended with {_process.ExitCode} after {Count} records. {_failure}\n{_errors.Result}");
    }

    private void Read()
    {
        while (_process.StandardOutput.ReadLine() is { } line)
        {
            // The clients' monotonic clock is the one that Stopwatch reads, in nanoseconds on Linux.
            var numbers = Array.ConvertAll(line.Split(' '), part => long.Parse(part, CultureInfo.InvariantCulture));
            var (at, partition, offset) = (numbers[0], (int)numbers[1], numbers[2]);
            var expected = Interlocked.Increment(ref _acknowledged[partition]) - 1;
            if (offset != expected)
            {
                _failure ??= $"Record {expected} of partition {partition} was acknowledged at offset {offset}.";
            }

            _gaps.Acknowledge(partition, at);
        }
    }
}
