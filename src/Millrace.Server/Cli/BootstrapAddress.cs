using Millrace.Server.Options;

namespace Millrace.Server.Cli;

/// <summary>Where a command begins to look for brokers, as librdkafka and Kafka write it.</summary>
internal static class BootstrapAddress
{
    private const int DefaultPort = 9092;

    /// <summary>Reads one or several, separated by commas.</summary>
    /// <exception cref="SettingsException">One is none, or there is none.</exception>
    public static IReadOnlyList<HostPort> ParseAll(string servers)
    {
        IReadOnlyList<HostPort> addresses =
            [.. servers.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(Parse)];
        return addresses.Count > 0 ? addresses : throw new SettingsException("--bootstrap-server takes HOST:PORT.");
    }

    private static HostPort Parse(string address)
    {
        // A protocol in front is librdkafka's form, and without a port it is Kafka's own.
        var bare = address[(address.IndexOf("://", StringComparison.Ordinal) is >= 0 and var at ? at + 3 : 0)..];
        var hasPort = bare.LastIndexOf(':') > bare.LastIndexOf(']');
        return HostPort.Parse(hasPort ? bare : $"{bare}:{DefaultPort}", "--bootstrap-server");
    }
}
