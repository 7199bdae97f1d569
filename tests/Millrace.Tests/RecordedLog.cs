using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Millrace.Tests;

/// <summary>Keeps what was logged, of all categories, in order. Threading: any thread.</summary>
internal sealed class RecordedLog : ILoggerFactory, ILogger
{
    private readonly ConcurrentQueue<Line> _lines = new();

    public IReadOnlyList<Line> Lines => [.. _lines];

    /// <summary>Called with each line's level before it is kept; what it throws is thrown to whoever logs.</summary>
    public Action<LogLevel>? Before { get; set; }

    /// <summary>All lines, as <c>Level Message</c>.</summary>
    public IReadOnlyList<string> Texts => [.. _lines.Select(line => $"{line.Level} {line.Message}")];

    /// <summary>The messages at information and above that hold a text.</summary>
    public IReadOnlyList<string> Saying(string text) =>
        [.. _lines.Where(line => line.Level >= LogLevel.Information && line.Message.Contains(text, StringComparison.Ordinal)).Select(line => line.Message)];

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        Before?.Invoke(logLevel);
        _lines.Enqueue(new Line(logLevel, formatter(state, exception), exception, state as IReadOnlyList<KeyValuePair<string, object?>> ?? []));
    }

    public void Dispose()
    {
    }

    /// <summary>A line, and the values in it by their names.</summary>
    public sealed record Line(LogLevel Level, string Message, Exception? Exception, IReadOnlyList<KeyValuePair<string, object?>> Values);
}
