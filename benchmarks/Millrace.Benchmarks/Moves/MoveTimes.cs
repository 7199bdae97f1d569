namespace Millrace.Benchmarks.Moves;

/// <summary>What some moves took, in milliseconds.</summary>
/// <param name="Commands">From the command to its answer, each.</param>
/// <param name="Gaps">The largest between acknowledgements, of each partition in each move.</param>
/// <param name="Stops">Of the partitions; null where the brokers do not tell.</param>
internal sealed record MoveTimes(IReadOnlyList<double> Commands, IReadOnlyList<double> Gaps, StopTimes? Stops)
{
    /// <summary>As rows below <see cref="Sample.Head"/>.</summary>
    /// <param name="which">Before what each says.</param>
    public void Print(string which = "")
    {
        if (Stops is not null)
        {
            Console.WriteLine(Stops.Row($"{which}a partition stops, at most"));
        }

        Console.WriteLine(new Sample(Commands).Row($"{which}the command takes"));
        Console.WriteLine(new Sample(Gaps).Row($"{which}a client's largest time between acknowledgements of a partition that moves"));
    }
}
