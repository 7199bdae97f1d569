namespace Millrace.Tests.Server.Monitoring;

/// <summary>What is shipped for those who watch brokers.</summary>
internal static class MonitoringFiles
{
    public static string Folder { get; } = Path.Combine(Repository.Root, "docs", "deploy", "monitoring");

    public static StreamReader Open(string name) => new(Path.Combine(Folder, name));
}
