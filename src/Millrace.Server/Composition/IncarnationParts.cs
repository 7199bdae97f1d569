using System.Runtime.ExceptionServices;

namespace Millrace.Server.Composition;

/// <summary>What an incarnation is made of, so far or as a whole: goes in the reverse order of its making, and all of it, whatever fails on the way.</summary>
/// <remarks>Threading: one caller at a time.</remarks>
internal sealed class IncarnationParts : IAsyncDisposable
{
    private readonly Stack<IAsyncDisposable> _made = new();

    /// <summary>Takes over what was made last.</summary>
    public T Add<T>(T made)
        where T : IAsyncDisposable
    {
        _made.Push(made);
        return made;
    }

    /// <summary>Disposes of every part, and then throws what the first one failed of that did: no part is left open for another's failure.</summary>
    public async ValueTask DisposeAsync()
    {
        ExceptionDispatchInfo? first = null;
        while (_made.TryPop(out var made))
        {
            try
            {
                await made.DisposeAsync();
            }
            catch (Exception failure)
            {
                first ??= ExceptionDispatchInfo.Capture(failure);
            }
        }

        first?.Throw();
    }
}
