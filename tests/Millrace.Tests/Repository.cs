namespace Millrace.Tests;

/// <summary>The checkout that the tests run from.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot(AppContext.BaseDirectory);

    /// <summary>A folder beside the checkout with real components for tests, or null where it is missing.</summary>
    public static string? Shared(string path)
    {
        var full = Path.Combine(Root, "..", "shared", path);
        return Path.Exists(full) ? Path.GetFullPath(full) : null;
    }

    private static string FindRoot(string from) =>
        File.Exists(Path.Combine(from, "Millrace.slnx"))
            ? from
            : FindRoot(Path.GetDirectoryName(from) ?? throw new DirectoryNotFoundException("No Millrace.slnx above the tests"));
}
