using System.Text;

namespace Millrace.Server.Scaling;

/// <summary>The end of what a process has written, by whichever of its outputs.</summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed class LastWords
{
    private const int Most = 500;

    private readonly Lock _lock = new();
    private readonly StringBuilder _end = new();

    /// <summary>Until the output is closed, by the process and whoever has it from that.</summary>
    public async Task ReadAsync(StreamReader output)
    {
        var buffer = new char[1024];
        try
        {
            while (await output.ReadAsync(buffer) is > 0 and var count)
            {
                Add(buffer.AsSpan(0, count));
            }
        }
        catch (Exception closed) when (closed is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // It is let go before it has ended, where what the process has started still holds it.
        }
    }

    /// <summary>On one line.</summary>
    public override string ToString()
    {
        lock (_lock)
        {
            return string.Join(" | ", _end.ToString().Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
        }
    }

    /// <summary>The same behind something else; nothing where there are none.</summary>
    public string After(string before) => ToString() is { Length: > 0 } words ? before + words : "";

    private void Add(ReadOnlySpan<char> text)
    {
        lock (_lock)
        {
            _end.Append(text);
            if (_end.Length > Most)
            {
                _end.Remove(0, _end.Length - Most);
            }
        }
    }
}
