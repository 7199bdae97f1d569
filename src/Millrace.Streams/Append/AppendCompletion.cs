using System.Runtime.CompilerServices;
using Millrace.Runtime;

namespace Millrace.Streams.Append;

/// <summary>
/// What the producer of an append awaits: first the WAL's answer comes, then the stream moves its confirm offset, then this completes.
/// Taken before the WAL is asked, so that nothing has to be made for a record that it has accepted.
/// </summary>
internal sealed class AppendCompletion : ReusableTask<AppendCompletion>
{
    private readonly Action _settle;
    private ValueTaskAwaiter _durable;
    private StreamAppends _stream = null!;
    private long _end;
    private long _began;

    public AppendCompletion(IdleTasks<AppendCompletion> idle)
        : base(idle, continuesOnItsOwn: false) => _settle = Settle;

    public void Begin(StreamAppends stream, long end, long began) => (_stream, _end, _began) = (stream, end, began);

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
            Fail(_stream.LoseFor(failure));
            return;
        }
        catch (Exception)
        {
            // It was answered meanwhile, and only calling back has failed.
        }

        Settle();
    }

    protected override void Forget()
    {
        _durable = default;
        _stream = null!;
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
                _stream.Confirm(_end, _began);
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
            Complete();
        }
        else
        {
            Fail(failure);
        }
    }
}
