using System.Globalization;

namespace Millrace.Benchmarks.SideBySide;

/// <summary>A broker in a process of its own, and what that process costs.</summary>
internal abstract class BrokerUnderTest : IDisposable
{
    // Linux counts processor time in hundredths of a second on every supported architecture.
    private const double TicksPerSecond = 100;

    protected BrokerUnderTest(string name) => Name = name;

    public string Name { get; }

    public string BootstrapServers { get; protected set; } = "";

    public int ProcessId { get; protected set; }

    /// <summary>Processor seconds the broker has used so far, in user and kernel mode.</summary>
    public double CpuSeconds
    {
        get
        {
            // The command name, in parentheses, may contain blanks: count fields from behind it.
            var stat = File.ReadAllText($"/proc/{ProcessId}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return (double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond;
        }
    }

    /// <summary>Megabytes of memory it has now, shared pages included.</summary>
    public double ResidentMegabytes => StatusMegabytes("VmRSS:");

    /// <summary>The most it has had since the last <see cref="ResetPeak"/>.</summary>
    public double PeakMegabytes => StatusMegabytes("VmHWM:");

    public void ResetPeak() => File.WriteAllText($"/proc/{ProcessId}/clear_refs", "5");

    public abstract void Dispose();

    private double StatusMegabytes(string field) => File.ReadLines($"/proc/{ProcessId}/status")
        .Where(line => line.StartsWith(field, StringComparison.Ordinal))
        .Select(line => double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) / 1024)
        .First();
}
