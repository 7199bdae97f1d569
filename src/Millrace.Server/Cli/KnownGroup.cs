namespace Millrace.Server.Cli;

/// <summary>A group that has to be there.</summary>
internal static class KnownGroup
{
    /// <summary>Says that it is not.</summary>
    public static string Absence(string group) => $"There is no group '{group}'. `millrace group list` shows those there are.";
}
