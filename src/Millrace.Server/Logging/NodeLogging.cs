using Microsoft.Extensions.Logging.Console;

namespace Millrace.Server.Logging;

/// <summary>Structured logs on standard error: standard output belongs to the line that says <c>ready</c>.</summary>
internal static class NodeLogging
{
    /// <summary>Of both formats: UTC, to the millisecond.</summary>
    public const string Timestamp = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    public static ILoggerFactory Create(LogFormat format, LogLevel level, TimeProvider time) =>
        new RationedLoggerFactory(time, CreateAll(format, level, time), withStackTraces: level <= LogLevel.Debug);

    private static ILoggerFactory CreateAll(LogFormat format, LogLevel level, TimeProvider time) => LoggerFactory.Create(logging =>
    {
        logging.SetMinimumLevel(level);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        // The host of the HTTP endpoints logs what it throws, too; the start that it fails says it in one line.
        logging.AddFilter("Microsoft.Extensions.Hosting", LogLevel.Critical);
        logging.Services.AddSingleton(time);
        logging.Services.AddSingleton<ConsoleFormatter, TextLogFormatter>();
        logging.AddJsonConsole(json => (json.UseUtcTimestamp, json.TimestampFormat) = (true, Timestamp));
        logging.AddConsole(console =>
        {
            console.LogToStandardErrorThreshold = LogLevel.Trace;
            console.FormatterName = format == LogFormat.Json ? ConsoleFormatterNames.Json : TextLogFormatter.FormatterName;
        });
    });
}
