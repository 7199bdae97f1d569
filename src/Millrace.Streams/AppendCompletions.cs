namespace Millrace.Streams;

/// <summary>Completions that may be used again, so that an append that waits for its flush leaves no garbage.</summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed class AppendCompletions
{
    private const int Kept = 4096;
    private readonly Lock _lock = new();
    private AppendCompletion? _idle;
    private int _count;

    public AppendCompletion Take()
    {
        lock (_lock)
        {
            if (_idle is { } completion)
            {
                _idle = completion.Next;
                completion.Next = null;
                _count--;
                return completion;
            }
        }

        return new AppendCompletion(this);
    }

    public void Add(AppendCompletion completion)
    {
        lock (_lock)
        {
            if (_count < Kept)
            {
                completion.Next = _idle;
                _idle = completion;
                _count++;
            }
        }
    }
}
