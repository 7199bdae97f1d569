using System.Collections.Concurrent;

namespace Millrace.Server.Logging;

/// <summary>
/// Bounds what a log can grow by: of each kind of event, <see cref="RationedLogger.LinesAPeriod"/> lines a minute, then one that
/// says how many were left out. Clients cause most events as often as they like, and a disk that their noise has filled stops
/// the node. Stack traces are for whoever asked for debug.
/// </summary>
/// <remarks>Threading: any thread. What is below information is asked for by an operator who looks for something: all of it is written.</remarks>
internal sealed class RationedLoggerFactory : ILoggerFactory
{
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);
    private readonly ILoggerFactory _inner;
    private readonly bool _withStackTraces;
    private readonly ConcurrentDictionary<string, RationedLogger> _loggers = new(StringComparer.Ordinal);
    private readonly ITimer _timer;

    /// <param name="time">Measures the minutes.</param>
    /// <param name="inner">Writes the lines; it is disposed with this.</param>
    /// <param name="withStackTraces">Whether an exception may take more than the line of its event.</param>
    public RationedLoggerFactory(TimeProvider time, ILoggerFactory inner, bool withStackTraces)
    {
        (_inner, _withStackTraces) = (inner, withStackTraces);
        _timer = time.CreateTimer(_ => EndPeriod(), null, Period, Period);
    }

    public ILogger CreateLogger(string categoryName) =>
        _loggers.GetOrAdd(categoryName, name => new RationedLogger(_inner.CreateLogger(name), _withStackTraces));

    public void AddProvider(ILoggerProvider provider) => _inner.AddProvider(provider);

    public void Dispose()
    {
        _timer.Dispose();
        EndPeriod();
        _inner.Dispose();
    }

    private void EndPeriod()
    {
        foreach (var (_, logger) in _loggers)
        {
            logger.EndPeriod();
        }
    }
}
