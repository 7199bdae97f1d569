using System.Diagnostics;
using System.Text.RegularExpressions;
using Xunit;

namespace Millrace.Tests.Clients;

/// <summary>A kcat that reads a topic as a member of a group, in the background.</summary>
internal sealed partial class KcatGroupMember : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly List<string> _records = [];
    private readonly Lock _lock = new();
    private int _assigned;

    public KcatGroupMember(string bootstrapServers, string topic)
    {
        _process = Process.Start(new ProcessStartInfo(
            "kcat",
            [
                "-b", bootstrapServers, "-G", $"{topic}-members", "-u", "-X", "session.timeout.ms=6000",
                "-X", "heartbeat.interval.ms=500", "-X", "auto.offset.reset=earliest", topic,
            ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _process.OutputDataReceived += (_, line) => AddRecord(line.Data);
        _process.ErrorDataReceived += (_, line) => Note(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public IReadOnlyList<string> Records
    {
        get
        {
            lock (_lock)
            {
                return [.. _records];
            }
        }
    }

    public Task WaitForAssignmentAsync(int partitions) => WaitForAsync(() => Volatile.Read(ref _assigned) == partitions, $"{partitions} partitions");

    public Task WaitForRecordsAsync(int count) => WaitForAsync(() => Records.Count == count, $"{count} records");

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private static async Task WaitForAsync(Func<bool> condition, string what)
    {
        var deadline = DateTime.UtcNow + Limit;
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < deadline, $"The group member did not get {what} in time");
            await Task.Delay(20);
        }
    }

    private void AddRecord(string? line)
    {
        if (line is not null)
        {
            lock (_lock)
            {
                _records.Add(line);
            }
        }
    }

    // kcat says "% Group … rebalanced (memberid …): assigned: topic [0], topic [1]".
    private void Note(string? line)
    {
        if (line is not null && Rebalanced().Match(line) is { Success: true } match)
        {
            Volatile.Write(ref _assigned, match.Groups[1].Value == "assigned" ? line.Count(c => c == '[') : 0);
        }
    }

    [GeneratedRegex(@"rebalanced .*: (assigned|revoked)")]
    private static partial Regex Rebalanced();
}
