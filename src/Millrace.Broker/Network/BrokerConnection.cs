using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Millrace.Broker.Requests;
using Millrace.Protocol;
using Millrace.Protocol.Primitives;
using Millrace.Runtime;

namespace Millrace.Broker.Network;

/// <summary>
/// Serves one connection with two loops: one reads frames and begins calls, the other writes the answers in the order of the
/// requests. A call that waits (a long poll, a durable write) costs no thread.
/// </summary>
internal sealed class BrokerConnection
{
    private readonly NetworkServer _server;
    private readonly ConnectionContext _transport;
    private readonly FrameReader _frames;
    private readonly RequestBudget _ownBudget;
    private readonly Channel<RequestCall> _calls;
    private readonly ResponseWriter _responses;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stopReading;
    private readonly CancellationTokenSource _abandoned;
    private long _lastActivity;
    private long _writingSince;
    private int _callsUnderWay;
    private bool _isClosing;

    public BrokerConnection(NetworkServer server, ConnectionContext transport, ListenerName listener, long number)
    {
        _server = server;
        _transport = transport;
        _log = server.Log;
        Number = number;
        Client = new ClientConnection($"{listener}-{number}", transport.RemoteEndPoint, listener);
        var options = server.Options;
        _frames = new FrameReader(server.Runtime, transport.Transport.Input, server.Buffers, server.Budgets, options.MaxFrameBytes);
        _ownBudget = new RequestBudget(options.MaxRequestBytesPerConnection);
        _responses = new ResponseWriter(transport.Transport.Output);
        _calls = Channel.CreateBounded<RequestCall>(
            new BoundedChannelOptions(options.MaxRequestsPerConnection) { SingleReader = true, SingleWriter = true });
        _stopReading = CancellationTokenSource.CreateLinkedTokenSource(server.Draining);
        _abandoned = CancellationTokenSource.CreateLinkedTokenSource(server.Draining, transport.ConnectionClosed);
        _lastActivity = server.Runtime.Time.GetTimestamp();
    }

    /// <summary>Rises with every connection accepted.</summary>
    public long Number { get; }

    public ClientConnection Client { get; }

    /// <summary>Serves until the peer leaves, is sent away, or the server stops. Does not throw.</summary>
    public async Task RunAsync()
    {
        try
        {
            var writing = WriteAsync();
            await ReadAsync();
            await writing;
        }
        finally
        {
            if (_responses.IsBroken)
            {
                // Half a response is in the pipe; an orderly close would send it.
                _transport.Abort(new ConnectionAbortedException("a response could not be written"));
            }

            // What is in the pipe is still sent, and a peer that takes nothing is given up like any other.
            Volatile.Write(ref _writingSince, _server.Runtime.Time.GetTimestamp());
            await DisposeAsync();
        }
    }

    /// <summary>Ends a connection that was never served, in order.</summary>
    public ValueTask RefuseAsync() => DisposeAsync();

    /// <summary>Ends the connection at once. What is not sent is lost.</summary>
    public void Abort(string reason)
    {
        NetworkLog.Cutting(_log, Client.Id, Client.Remote, reason);
        _transport.Abort(new ConnectionAbortedException(reason));
    }

    /// <summary>Ends an idle connection, whose place is needed, at once.</summary>
    public void Evict()
    {
        NetworkLog.Idle(_log, Client.Id, Client.Remote);
        _transport.Abort(new ConnectionAbortedException("idle, and its place is needed"));
    }

    /// <summary>Closes the connection if its peer has been idle for too long, or misbehaves. To be called every second or so.</summary>
    public void Check(long now)
    {
        var options = _server.Options;
        if (Volatile.Read(ref _writingSince) is var writeStart and not 0 && Elapsed(writeStart, now) > options.MaxWriteStall)
        {
            Abort("the client takes no answers");
        }
        else if (_isClosing)
        {
            // What was answered is still being sent.
        }
        else if (IdleFor(now) > options.MaxIdle)
        {
            NetworkLog.Idle(_log, Client.Id, Client.Remote);
            Close();
        }
        else if (_frames.AgeAt(now) is var age && age > options.SlowFrameGrace && _frames.Arrived < age.TotalSeconds * options.SlowFrameBytesPerSecond)
        {
            NetworkLog.SlowFrame(_log, Client.Id, Client.Remote, _frames.Arrived, (long)age.TotalSeconds);
            Close();
        }
    }

    /// <summary>How long nothing has gone on; zero while a request is under way or a frame is arriving.</summary>
    public TimeSpan IdleFor(long now) =>
        Volatile.Read(ref _callsUnderWay) == 0 && _frames.StartedAt == 0
            ? Elapsed(Volatile.Read(ref _lastActivity), now)
            : TimeSpan.Zero;

    private async Task ReadAsync()
    {
        try
        {
            while (await _frames.ReadAsync(_stopReading.Token) is { } frame)
            {
                var call = await BeginAsync(frame);
                await call.NextAllowed;
            }
        }
        catch (OperationCanceledException)
        {
            // The server drains, or the writing side has given the connection up.
        }
        catch (IOException lost)
        {
            // A health check that resets is no news, nor is a client that dies.
            NetworkLog.Lost(_log, Client.Id, Client.Remote, lost.Message);
        }
        catch (Exception refusal) when (refusal is InvalidFrameException or ProtocolException)
        {
            _server.Metrics.RequestRefused();
            NetworkLog.Refused(_log, Client.Id, Client.Remote, refusal.Message);
        }
        catch (Exception fault)
        {
            NetworkLog.Fault(_log, fault, Client.Id, Client.Remote);
        }
        finally
        {
            _calls.Writer.Complete();
        }
    }

    private async ValueTask<RequestCall> BeginAsync(RequestFrame frame)
    {
        BudgetLease own = default;
        RequestCall call;
        try
        {
            own = await _ownBudget.AcquireAsync(frame.Lease.Bytes, _stopReading.Token);
            await _calls.Writer.WaitToWriteAsync(_stopReading.Token);
            call = _server.Apis.Decode(frame, own, Client);
            call.ArrivedAt = _server.Runtime.Time.GetTimestamp();
        }
        catch
        {
            Release(frame, own);
            throw;
        }

        Interlocked.Increment(ref _callsUnderWay);
        try
        {
            call.Start(call.OutlivesConnection ? _server.Stopped : _abandoned.Token);
            // This loop is the only writer, and it waited for room.
            Invariant.Check(_calls.Writer.TryWrite(call));
            return call;
        }
        catch
        {
            // Nobody will answer it. Its memory is its own until it is done.
            _ = FinishUnansweredAsync(call);
            throw;
        }
    }

    private async Task FinishUnansweredAsync(RequestCall call)
    {
        try
        {
            await call.Completion;
        }
        catch (Exception)
        {
            // The connection's own failure is what is told.
        }

        Finish(call);
    }

    private async Task WriteAsync()
    {
        var open = true;
        var unflushed = false;
        while (await _calls.Reader.WaitToReadAsync())
        {
            while (_calls.Reader.TryRead(out var call))
            {
                if (open && unflushed && !call.IsCompleted)
                {
                    // Answers that are ready leave before this waits; several ready ones leave together.
                    (open, unflushed) = (await FlushAsync(), false);
                }

                open = await AnswerAsync(call, open);
                unflushed |= open;
                if (!open)
                {
                    GiveUp();
                }
            }

            if (open && unflushed)
            {
                (open, unflushed) = (await FlushAsync(), false);
                if (!open)
                {
                    GiveUp();
                }
            }
        }
    }

    /// <summary>Waits for a call and writes its response; false if the connection has to be closed instead.</summary>
    private async ValueTask<bool> AnswerAsync(RequestCall call, bool open)
    {
        try
        {
            await call.Completion;
            call.ReportErrors(_server.Metrics.ErrorsOf(call.Api));
            if (!open || call.DisconnectRequested)
            {
                return false;
            }

            if (!call.ResponseSuppressed)
            {
                _responses.Write(call);
            }

            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        catch (ProtocolException refusal)
        {
            NetworkLog.Refused(_log, Client.Id, Client.Remote, refusal.Message);
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
            NetworkLog.CallFault(_log, fault, call.Api, call.ApiVersion, Client.Id, Client.Remote);
            return false;
        }
        finally
        {
            Finish(call);
        }
    }

    private async ValueTask<bool> FlushAsync()
    {
        Volatile.Write(ref _writingSince, _server.Runtime.Time.GetTimestamp());
        try
        {
            var result = await _responses.FlushAsync();
            return !result.IsCompleted && !result.IsCanceled;
        }
        catch (Exception gone) when (gone is IOException or ConnectionAbortedException or OperationCanceledException or InvalidOperationException)
        {
            return false;
        }
        catch (Exception fault)
        {
            // The loop goes on for the calls that are under way: each has memory that only it gives back.
            NetworkLog.Fault(_log, fault, Client.Id, Client.Remote);
            return false;
        }
        finally
        {
            Volatile.Write(ref _writingSince, 0);
        }
    }

    /// <summary>Ends the connection in order: what has been answered is sent.</summary>
    private void Close()
    {
        _isClosing = true;
        try
        {
            GiveUp();
        }
        catch (ObjectDisposedException)
        {
            // It has just ended by itself.
        }
    }

    /// <summary>Ends the reading, and the calls that wait for nobody.</summary>
    private void GiveUp()
    {
        _stopReading.Cancel();
        _abandoned.Cancel();
    }

    private void Finish(RequestCall call)
    {
        var now = _server.Runtime.Time.GetTimestamp();
        _server.Metrics.Answered(call.Api, Elapsed(call.ArrivedAt, now));
        call.ReleaseLeases();
        Release(call.RequestFrame, call.OwnLease);
        Volatile.Write(ref _lastActivity, now);
        Interlocked.Decrement(ref _callsUnderWay);
    }

    private void Release(RequestFrame frame, BudgetLease own)
    {
        frame.Buffer.Release();
        frame.Budget.Release(frame.Lease);
        _ownBudget.Release(own);
    }

    private async ValueTask DisposeAsync()
    {
        await _transport.DisposeAsync();
        _stopReading.Dispose();
        _abandoned.Dispose();
    }

    private TimeSpan Elapsed(long from, long now) => _server.Runtime.Time.GetElapsedTime(from, now);
}
