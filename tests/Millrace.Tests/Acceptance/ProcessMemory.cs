using System.Globalization;

namespace Millrace.Tests.Acceptance;

/// <summary>What another process takes of this machine's memory.</summary>
internal static class ProcessMemory
{
    /// <summary>What is resident, but for pages of the program's files: how many of those there are is up to the system, which takes them back.</summary>
    public static long OwnMegabytes(int process) => File.ReadLines($"/proc/{process}/status")
        .Where(line => line.StartsWith("RssAnon:", StringComparison.Ordinal) || line.StartsWith("RssShmem:", StringComparison.Ordinal))
        .Sum(line => long.Parse(line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture)) / 1024;
}
