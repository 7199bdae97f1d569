namespace Millrace.Server.Logging;

/// <summary>The log of one category, with a bound on the lines of each event and on those that an exception takes.</summary>
/// <param name="inner">Writes the lines.</param>
/// <param name="withStackTraces">For an operator who looks for something; else an exception is told on the line of its event.</param>
internal sealed class RationedLogger(ILogger inner, bool withStackTraces) : ILogger
{
    /// <summary>Lines of one event between two calls of <see cref="EndPeriod"/>.</summary>
    public const int LinesAPeriod = 10;

    private readonly Lock _lock = new();
    private readonly Dictionary<EventId, int> _lines = [];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => inner.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel) => inner.IsEnabled(logLevel);

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (logLevel >= LogLevel.Information && !TryTake(eventId))
        {
            return;
        }

        if (exception is null || withStackTraces)
        {
            inner.Log(logLevel, eventId, state, exception, formatter);
        }
        else
        {
            inner.Log(logLevel, eventId, state, null, (said, _) => $"{formatter(said, exception)}: {FailureText.Of(exception)}");
        }
    }

    /// <summary>Says what was left out, and begins anew.</summary>
    public void EndPeriod()
    {
        List<(EventId Event, int Count)> leftOut;
        lock (_lock)
        {
            leftOut = [.. _lines.Where(line => line.Value > LinesAPeriod).Select(line => (line.Key, line.Value - LinesAPeriod))];
            _lines.Clear();
        }

        foreach (var (id, count) in leftOut)
        {
            ServerMessages.LeftOut(inner, count, id.Name ?? $"{id.Id}");
        }
    }

    private bool TryTake(EventId id)
    {
        lock (_lock)
        {
            var lines = _lines.GetValueOrDefault(id) + 1;
            _lines[id] = lines;
            return lines <= LinesAPeriod;
        }
    }
}
