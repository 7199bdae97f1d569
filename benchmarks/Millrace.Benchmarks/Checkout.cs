namespace Millrace.Benchmarks;

/// <summary>The checkout that the benchmarks run from.</summary>
internal static class Checkout
{
    public static string Root { get; } = FindRoot(AppContext.BaseDirectory);

    private static string FindRoot(string from) => File.Exists(Path.Combine(from, "Millrace.slnx"))
        ? from
        : FindRoot(Path.GetDirectoryName(from) ?? throw new DirectoryNotFoundException("No Millrace.slnx above the benchmarks"));
}
