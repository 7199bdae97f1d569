using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Millrace.Server.Cli;

namespace Millrace.Server.Logging;

/// <summary>One line an event: time (UTC), level, area, message; exceptions below it.</summary>
internal sealed class TextLogFormatter(TimeProvider time) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "millrace";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        textWriter.Write(time.GetUtcNow().ToString(NodeLogging.Timestamp, CultureInfo.InvariantCulture));
        textWriter.Write(logEntry.LogLevel switch
        {
            LogLevel.Trace => " trace ",
            LogLevel.Debug => " debug ",
            LogLevel.Information => " info  ",
            LogLevel.Warning => Terminal.Warning(" warn  "),
            LogLevel.Error => Terminal.Error(" error "),
            LogLevel.Critical => Terminal.Error(" fatal "),
            LogLevel.None => " ",
        });
        textWriter.Write(logEntry.Category.AsSpan(logEntry.Category.LastIndexOf('.') + 1));
        textWriter.Write(": ");
        textWriter.WriteLine(OnOneLine(logEntry.Formatter(logEntry.State, logEntry.Exception)));
        if (logEntry.Exception is not null)
        {
            textWriter.WriteLine(logEntry.Exception);
        }
    }

    /// <summary>Without control characters: clients choose names that are logged, and a line break in one would let them write lines of their own.</summary>
    private static string OnOneLine(string message) =>
        message.AsSpan().IndexOfAnyInRange('\0', '\x1f') < 0
            ? message
            : string.Create(message.Length, message, static (line, text) =>
            {
                for (var i = 0; i < line.Length; i++)
                {
                    line[i] = char.IsControl(text[i]) ? ' ' : text[i];
                }
            });
}
