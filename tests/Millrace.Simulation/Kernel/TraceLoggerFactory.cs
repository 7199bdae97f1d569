using Microsoft.Extensions.Logging;

namespace Millrace.Simulation.Kernel;

/// <summary>
/// Puts what a node logs into the trace. What it takes for a fault of its own, and only that is logged as an error with its exception, is one.
/// </summary>
/// <param name="trace">The world's.</param>
/// <param name="node">Whose words they are.</param>
/// <param name="said">Called with every line.</param>
/// <param name="fault">Called with what failed, unless memory was short.</param>
internal sealed class TraceLoggerFactory(Trace trace, string node, Action<string> said, Action<Exception> fault) : ILoggerFactory, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("The trace is the only listener");

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            var line = $"{node} logs {logLevel}: {formatter(state, exception)}{(exception is null ? "" : $" ({exception.Message})")}";
            trace.Note(line);
            said(line);
            if (logLevel == LogLevel.Error && exception is not (null or OutOfMemoryException))
            {
                fault(exception);
            }
        }
    }

    public void Dispose()
    {
    }
}
