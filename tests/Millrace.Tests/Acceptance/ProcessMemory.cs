using System.Globalization;

namespace Millrace.Tests.Acceptance;

/// <summary>What another process takes of this machine's memory.</summary>
internal static class ProcessMemory
{
    public static long ResidentMegabytes(int process) => File.ReadLines($"/proc/{process}/status")
        .Where(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))
        .Select(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) / 1024)
        .First();
}
