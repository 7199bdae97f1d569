using Microsoft.Extensions.Logging;

namespace Millrace.Simulation.Kernel;

/// <summary>Puts what a node logs into the trace.</summary>
internal sealed class TraceLoggerFactory(Trace trace, string node) : ILoggerFactory, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("The trace is the only listener");

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            trace.Note($"{node} logs {logLevel}: {formatter(state, exception)}{(exception is null ? "" : $" ({exception.Message})")}");
        }
    }

    public void Dispose()
    {
    }
}
