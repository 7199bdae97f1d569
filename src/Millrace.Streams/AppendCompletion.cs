using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace Millrace.Streams;

/// <summary>
/// What the producer of an append awaits: first the WAL's answer comes, then the stream moves its confirm offset, then this completes.
/// Taken before the WAL is asked, so that nothing has to be made for a record that it has accepted. Used again once awaited.
/// </summary>
internal sealed class AppendCompletion : IValueTaskSource
{
    private readonly AppendCompletions _idle;
    private readonly Action _settle;
    private ManualResetValueTaskSourceCore<bool> _core;
    private ValueTaskAwaiter _durable;
    private Stream _stream = null!;
    private long _end;

    public AppendCompletion(AppendCompletions idle)
    {
        _idle = idle;
        _settle = Settle;
    }

    /// <summary>To be awaited once.</summary>
    public ValueTask Task => new(this, _core.Version);

    /// <summary>The next of those that may be used.</summary>
    public AppendCompletion? Next { get; set; }

    public void Begin(Stream stream, long end) => (_stream, _end) = (stream, end);

    /// <summary>Waits for the WAL's answer to the append, which it has accepted. Never throws: what goes wrong from now on is in the task.</summary>
    public void Follow(ValueTask durable)
    {
        _durable = durable.GetAwaiter();
        try
        {
            if (!_durable.IsCompleted)
            {
                _durable.UnsafeOnCompleted(_settle);
                return;
            }
        }
        catch (Exception failure) when (!_durable.IsCompleted)
        {
            // The WAL still has the record, and its answer finds nobody: the stream's memory stays as it is.
            _core.SetException(_stream.LoseFor(failure));
            return;
        }
        catch (Exception)
        {
            // It was answered meanwhile, and only calling back has failed.
        }

        Settle();
    }

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    public void GetResult(short token)
    {
        try
        {
            _core.GetResult(token);
        }
        finally
        {
            _core.Reset();
            GiveBack();
        }
    }

    /// <summary>It was not needed, or is no more.</summary>
    public void GiveBack()
    {
        _durable = default;
        _stream = null!;
        _idle.Add(this);
    }

    private void Settle()
    {
        Exception? failure = null;
        try
        {
            _durable.GetResult();
        }
        catch (Exception refused)
        {
            failure = refused;
        }

        try
        {
            if (failure is null)
            {
                _stream.Confirm(_end);
            }
            else
            {
                failure = _stream.Fail(failure);
            }
        }
        catch (Exception trouble)
        {
            failure = _stream.LoseFor(trouble);
        }

        if (failure is null)
        {
            _core.SetResult(true);
        }
        else
        {
            _core.SetException(failure);
        }
    }
}
