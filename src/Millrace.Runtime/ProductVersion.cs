using System.Reflection;
using System.Runtime.InteropServices;

namespace Millrace.Runtime;

/// <summary>Which program this is: what it says of itself to people, and writes into what it makes.</summary>
/// <remarks>
/// The build puts it into the assembly as <c>NUMBER+COMMIT</c>; the commit is there if it was built from a repository, so that the same source
/// without one gives the same bytes everywhere.
/// </remarks>
public static class ProductVersion
{
    private const int ShownOfCommit = 12;

    private static readonly string[] Parts =
        (typeof(ProductVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0").Split('+', 2);

    /// <summary>E.g. <c>0.1.0</c>.</summary>
    public static string Number => Parts[0];

    /// <summary>Null if it was not built from a repository.</summary>
    public static string? Commit => Parts.Length > 1 ? Parts[1] : null;

    /// <summary>E.g. <c>Millrace 0.1.0 (commit 3f2a1c9e0b77)</c>.</summary>
    public static string Program { get; } = Name(Number, Commit);

    /// <summary>E.g. <c>Millrace 0.1.0 (commit 3f2a1c9e0b77) on .NET 10.0.1, linux-x64</c>.</summary>
    public static string Full { get; } = $"{Program} on {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier}";

    internal static string Name(string number, string? commit) =>
        $"Millrace {number}" + (commit is null ? "" : $" (commit {commit[..Math.Min(commit.Length, ShownOfCommit)]})");
}
