using Microsoft.Extensions.Logging;
using Millrace.Runtime;

namespace Millrace.Tests.Streams;

/// <summary>Keeps what is logged, of every level.</summary>
internal sealed class RecordingLoggers : ILoggerFactory, ILogger
{
    private readonly Lock _lock = new();
    private readonly List<(LogLevel Level, string Text, object? Stream)> _lines = [];

    public IReadOnlyList<LogLevel> Levels
    {
        get
        {
            lock (_lock)
            {
                return [.. _lines.Select(line => line.Level)];
            }
        }
    }

    /// <summary>The levels of the lines that name a stream.</summary>
    public IReadOnlyList<LogLevel> About(StreamId stream)
    {
        lock (_lock)
        {
            return [.. _lines.Where(line => Equals(line.Stream, stream)).Select(line => line.Level)];
        }
    }

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var stream = (state as IEnumerable<KeyValuePair<string, object?>>)?.FirstOrDefault(pair => pair.Key == "Stream").Value;
        lock (_lock)
        {
            _lines.Add((logLevel, formatter(state, exception), stream));
        }
    }

    public void Dispose()
    {
    }
}
