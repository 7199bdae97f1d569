using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Millrace.Network.Access;
using Millrace.Network.Requests;
using Millrace.Protocol;
using Millrace.Protocol.Primitives;
using Millrace.Runtime;

namespace Millrace.Network.Serving;

/// <summary>A connection's calls under way: waits for each, in the order of their requests, and writes its answer.</summary>
/// <remarks>
/// Threading: <see cref="WaitForRoomAsync"/>, <see cref="Begin"/> and <see cref="Complete"/> are the reading loop's, <see cref="RunAsync"/> is the
/// writing loop; the rest may be read from any thread.
/// </remarks>
internal sealed class AnswerLoop
{
    private readonly NetworkServer _server;
    private readonly ClientConnection _client;
    private readonly RequestBudget _ownBudget;
    private readonly Action _giveUp;
    private readonly Channel<CallUnderWay> _calls;
    private readonly PipeWriter _output;
    private long _lastActivity;
    private long _writingSince;
    private int _callsUnderWay;
    private bool _isCut;

    /// <param name="server">Whose options, metrics and log count.</param>
    /// <param name="client">For the log.</param>
    /// <param name="output">Where answers go.</param>
    /// <param name="ownBudget">The connection's, which the calls' bytes are taken of.</param>
    /// <param name="giveUp">Ends the reading, and the calls that wait for nobody.</param>
    public AnswerLoop(NetworkServer server, ClientConnection client, PipeWriter output, RequestBudget ownBudget, Action giveUp)
    {
        (_server, _client, _output, _ownBudget, _giveUp) = (server, client, output, ownBudget, giveUp);
        _calls = Channel.CreateBounded<CallUnderWay>(
            new BoundedChannelOptions(server.Options.MaxRequestsPerConnection) { SingleReader = true, SingleWriter = true });
        _lastActivity = server.Runtime.Time.GetTimestamp();
    }

    /// <summary>Part of a response was written that could not be finished: the connection must not be closed in order.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Since when the peer has taken no byte of what is sent; 0 if nothing is being sent.</summary>
    public long WritingSince => Volatile.Read(ref _writingSince);

    public bool IsIdle => Volatile.Read(ref _callsUnderWay) == 0;

    /// <summary>When the last call ended.</summary>
    public long LastActivity => Volatile.Read(ref _lastActivity);

    /// <summary>Waits until one more call may be under way.</summary>
    public ValueTask<bool> WaitForRoomAsync(CancellationToken token) => _calls.Writer.WaitToWriteAsync(token);

    /// <summary>Begins a call, for which there is room; its answer will be written in its turn. Its bytes are this loop's from now on.</summary>
    /// <exception cref="Exception">The handler failed where it began: nobody will answer the call.</exception>
    public void Begin(CallUnderWay underWay, CancellationToken token)
    {
        Interlocked.Increment(ref _callsUnderWay);
        try
        {
            underWay.Call.Start(token);
            // The reading loop is the only writer, and it waited for room.
            Invariant.Check(_calls.Writer.TryWrite(underWay));
        }
        catch
        {
            // Its memory is its own until it is done.
            _ = FinishUnansweredAsync(underWay);
            throw;
        }
    }

    /// <summary>No more calls come.</summary>
    public void Complete() => _calls.Writer.Complete();

    /// <summary>The transport is cut: what is not sent never will be, and nothing more is written.</summary>
    public void Cut() => Volatile.Write(ref _isCut, true);

    /// <summary>The transport is being closed: what is in the pipe is still sent, and a peer that takes nothing is given up like any other.</summary>
    public void Closing() => Volatile.Write(ref _writingSince, _server.Runtime.Time.GetTimestamp());

    /// <summary>Answers until there are no more calls. Does not throw.</summary>
    public async Task RunAsync()
    {
        var open = true;
        var unflushed = false;
        while (await _calls.Reader.WaitToReadAsync())
        {
            while (_calls.Reader.TryRead(out var underWay))
            {
                if (open && unflushed && !underWay.Call.IsCompleted)
                {
                    // Answers that are ready leave before this waits; several ready ones leave together.
                    (open, unflushed) = (await FlushAsync(), false);
                }

                try
                {
                    open = await AnswerAsync(underWay.Call, open);
                }
                catch (Exception)
                {
                    // Its failure could not even be told, for want of memory perhaps. The calls behind it have memory that only this loop gives back.
                    open = false;
                }

                Finish(underWay);
                unflushed |= open;
                if (!open)
                {
                    _giveUp();
                }
            }

            if (open && unflushed)
            {
                (open, unflushed) = (await FlushAsync(), false);
                if (!open)
                {
                    _giveUp();
                }
            }
        }
    }

    /// <summary>Gives back what a request took that becomes no call.</summary>
    public void Release(RequestFrame frame, BudgetLease own)
    {
        frame.Buffer.Release();
        frame.Budget.Release(frame.Lease);
        _ownBudget.Release(own);
    }

    /// <summary>Waits for a call and writes its response; false if the connection has to be closed instead.</summary>
    private async ValueTask<bool> AnswerAsync(RequestCall call, bool open)
    {
        try
        {
            await call.Completion;
            call.ReportErrors(_server.Metrics.ErrorsOf(call.Api));
            if (!open || call.DisconnectRequested || Volatile.Read(ref _isCut))
            {
                return false;
            }

            if (!call.ResponseSuppressed)
            {
                Write(call);
            }

            if (call.IsLast)
            {
                await FlushAsync();
            }

            return !call.IsLast;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        catch (ProtocolException refusal)
        {
            NetworkMessages.Refused(_server.Logger, _client.Id, _client.Remote, refusal.Message);
            return false;
        }
        catch (InvariantViolationException broken)
        {
            _server.Runtime.Fail(broken);
            return false;
        }
        catch (Exception fault)
        {
            _server.Metrics.ErrorsOf(call.Api).Add((short)ErrorCode.UnknownServerError);
            NetworkMessages.CallFault(_server.Logger, fault, call.Api, call.ApiVersion, _client.Id, _client.Remote);
            return false;
        }
    }

    /// <summary>
    /// Writes a response straight into the pipe, without flushing. The size in front is filled in afterwards, which the pipe allows because
    /// nothing of it is visible before the flush.
    /// </summary>
    private void Write(RequestCall call)
    {
        IsBroken = true;
        var size = _output.GetMemory(sizeof(int))[..sizeof(int)];
        _output.Advance(sizeof(int));

        var writer = new KafkaWriter(_output);
        writer.WriteInt32(call.CorrelationId);
        if (call.HasFlexibleResponseHeader)
        {
            // No tagged fields.
            writer.WriteUnsignedVarint(0);
        }

        call.WriteResponse(ref writer);
        writer.Flush();
        BinaryPrimitives.WriteInt32BigEndian(size.Span, checked((int)writer.BytesWritten));
        IsBroken = false;
    }

    private async ValueTask<bool> FlushAsync()
    {
        Volatile.Write(ref _writingSince, _server.Runtime.Time.GetTimestamp());
        try
        {
            var result = await _output.FlushAsync();
            return !result.IsCompleted && !result.IsCanceled;
        }
        catch (Exception gone) when (gone is IOException or ConnectionAbortedException or OperationCanceledException or InvalidOperationException)
        {
            return false;
        }
        catch (Exception fault)
        {
            // The loop goes on for the calls that are under way: each has memory that only it gives back.
            NetworkMessages.Fault(_server.Logger, fault, _client.Id, _client.Remote);
            return false;
        }
        finally
        {
            Volatile.Write(ref _writingSince, 0);
        }
    }

    private async Task FinishUnansweredAsync(CallUnderWay underWay)
    {
        try
        {
            await underWay.Call.Completion;
        }
        catch (Exception)
        {
            // The connection's own failure is what is told.
        }

        Finish(underWay);
    }

    private void Finish(CallUnderWay underWay)
    {
        var now = _server.Runtime.Time.GetTimestamp();
        _server.Metrics.Answered(underWay.Call.Api, _server.Runtime.Time.GetElapsedTime(underWay.ArrivedAt, now));
        underWay.Call.ReleaseLeases();
        Release(underWay.Frame, underWay.OwnLease);
        Volatile.Write(ref _lastActivity, now);
        Interlocked.Decrement(ref _callsUnderWay);
    }
}
