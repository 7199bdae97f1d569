using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Millrace.Benchmarks.Fencing;

/// <summary>What a broker logs, from a moment on: its own word for what it does, and when.</summary>
/// <param name="file">Grows as it logs.</param>
internal sealed class BrokerLog(string file)
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(10);
    private long _from;

    /// <summary>What is there already is of no interest any more.</summary>
    public void Forget() => _from += NewText().Length;

    /// <summary>Waits for a line.</summary>
    /// <returns>What was looked for in it, and when it was logged.</returns>
    /// <exception cref="TimeoutException">It does not come.</exception>
    public async Task<(DateTimeOffset At, Match Found)> WaitAsync(Regex line, TimeSpan limit)
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            if (Find(line) is { } found)
            {
                return found;
            }

            if (Stopwatch.GetElapsedTime(began) > limit)
            {
                throw new TimeoutException($"{Path.GetFileName(file)} has no line '{line}' after {limit.TotalSeconds:F0} s");
            }

            await Task.Delay(Pace);
        }
    }

    /// <returns>The first such line; null if there is none yet.</returns>
    public (DateTimeOffset At, Match Found)? Find(Regex line)
    {
        foreach (var text in NewText().Split('\n'))
        {
            if (line.Match(text) is { Success: true } found)
            {
                return (DateTimeOffset.Parse(text[..text.IndexOf(' ')], CultureInfo.InvariantCulture), found);
            }
        }

        return null;
    }

    /// <summary>Whole lines: of the last one a part may be written so far.</summary>
    private string NewText()
    {
        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        var text = reader.ReadToEnd();
        return text[(int)_from..(text.LastIndexOf('\n') + 1)];
    }
}
