using Microsoft.Extensions.Logging;
using Millrace.Server.Logging;
using Xunit;

namespace Millrace.Tests.Server.Logging;

public sealed class RationedLoggerTests
{
    private readonly RecordedLog _log = new();
    private readonly RationedLogger _rationed;

    public RationedLoggerTests() => _rationed = new RationedLogger(_log, withStackTraces: false);

    [Fact]
    public void An_event_that_comes_all_the_time_has_some_lines_and_then_one_that_counts_the_rest()
    {
        Say(LogLevel.Information, id: 1, times: 1_000);
        Assert.Equal(RationedLogger.LinesAPeriod, _log.Lines.Count);

        _rationed.EndPeriod();

        Assert.Equal($"{1_000 - RationedLogger.LinesAPeriod} more lines of the event event-1 were left out in the last minute", _log.Lines[^1].Message);
        Say(LogLevel.Information, id: 1, times: 1);
        Assert.Equal("said", _log.Lines[^1].Message);
        _rationed.EndPeriod();
        Assert.Equal(RationedLogger.LinesAPeriod + 2, _log.Lines.Count);
    }

    [Fact]
    public void The_noise_of_one_event_hides_no_other()
    {
        Say(LogLevel.Information, id: 1, times: 1_000);
        Say(LogLevel.Error, id: 2, times: 1);

        Assert.Equal(LogLevel.Error, _log.Lines[^1].Level);
    }

    [Fact]
    public void What_is_logged_for_whoever_looks_for_something_is_all_written()
    {
        Say(LogLevel.Debug, id: 1, times: 1_000);

        Assert.Equal(1_000, _log.Lines.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_failure_is_told_on_the_line_of_its_event_unless_somebody_debugs(bool withStackTraces)
    {
        var failure = Assert.Throws<InvalidOperationException>(() => Fail());
        new RationedLogger(_log, withStackTraces).Log(LogLevel.Error, new EventId(1, "event-1"), "It failed", failure, static (text, _) => text);

        var line = Assert.Single(_log.Lines);
        Assert.Equal(withStackTraces ? failure : null, line.Exception);
        Assert.Equal(withStackTraces, line.Message == "It failed");
        if (!withStackTraces)
        {
            Assert.StartsWith(
                "It failed: InvalidOperationException: above, caused by IOException: below (at Millrace.Tests.",
                line.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', line.Message);
        }
    }

    private static object Fail()
    {
        try
        {
            throw new IOException("below");
        }
        catch (IOException below)
        {
            throw new InvalidOperationException("above", below);
        }
    }

    private void Say(LogLevel level, int id, int times)
    {
        for (var i = 0; i < times; i++)
        {
            _rationed.Log(level, new EventId(id, $"event-{id}"), "said", null, static (text, _) => text);
        }
    }
}
