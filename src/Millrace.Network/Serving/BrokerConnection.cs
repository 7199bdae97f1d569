using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Millrace.Network.Access;
using Millrace.Network.Requests;
using Millrace.Metadata.Image;
using Millrace.Protocol.Primitives;

namespace Millrace.Network.Serving;

/// <summary>
/// Serves one connection with two loops: this one reads frames and begins calls, its <see cref="AnswerLoop"/> writes the answers in the order
/// of the requests. A call that waits (a long poll, a durable write) costs no thread.
/// </summary>
internal sealed class BrokerConnection
{
    private readonly NetworkServer _server;
    private readonly ConnectionContext _transport;
    private readonly FrameReader _frames;
    private readonly RequestBudget _ownBudget;
    private readonly AnswerLoop _answers;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopReading;
    private readonly CancellationTokenSource _abandoned;
    private bool _isClosing;

    public BrokerConnection(NetworkServer server, ConnectionContext transport, ListenerName listener, long number)
    {
        _server = server;
        _transport = transport;
        _logger = server.Logger;
        Number = number;
        Client = new ClientConnection($"{listener}-{number}", transport.RemoteEndPoint, listener);
        var options = server.Options;
        _frames = new FrameReader(server.Runtime, transport.Transport.Input, server.Buffers, server.Budgets, options.MaxFrameBytes);
        _ownBudget = new RequestBudget(options.MaxRequestBytesPerConnection);
        _answers = new AnswerLoop(server, Client, transport.Transport.Output, _ownBudget, GiveUp);
        _stopReading = CancellationTokenSource.CreateLinkedTokenSource(server.Draining);
        _abandoned = CancellationTokenSource.CreateLinkedTokenSource(server.Draining, transport.ConnectionClosed);
    }

    /// <summary>Rises with every connection accepted.</summary>
    public long Number { get; }

    public ClientConnection Client { get; }

    /// <summary>Serves until the peer leaves, is sent away, or the server stops. Does not throw.</summary>
    public async Task RunAsync()
    {
        try
        {
            var writing = _answers.RunAsync();
            await ReadAsync();
            await writing;
        }
        finally
        {
            if (_answers.IsBroken)
            {
                // Half a response is in the pipe; an orderly close would send it.
                _transport.Abort(new ConnectionAbortedException("a response could not be written"));
            }

            _answers.Closing();
            await DisposeAsync();
        }
    }

    /// <summary>Ends a connection that was never served, in order.</summary>
    public ValueTask RefuseAsync() => DisposeAsync();

    /// <summary>Ends the connection at once. What is not sent is lost.</summary>
    public void Abort(string reason)
    {
        NetworkMessages.Cutting(_logger, Client.Id, Client.Remote, reason);
        Cut(reason);
    }

    /// <summary>Ends an idle connection, whose place is needed, at once.</summary>
    public void Evict()
    {
        NetworkMessages.Idle(_logger, Client.Id, Client.Remote);
        Cut("idle, and its place is needed");
    }

    /// <summary>Closes the connection if its peer has been idle for too long, or misbehaves. To be called every second or so.</summary>
    public void Check(long now)
    {
        var options = _server.Options;
        if (_answers.WritingSince is var writeStart and not 0 && Elapsed(writeStart, now) > options.MaxWriteStall)
        {
            Abort("the client takes no answers");
        }
        else if (_isClosing)
        {
            // What was answered is still being sent.
        }
        else if (IdleFor(now) > options.MaxIdle)
        {
            NetworkMessages.Idle(_logger, Client.Id, Client.Remote);
            Close();
        }
        else if (_frames.AgeAt(now) is var age && age > options.SlowFrameGrace && _frames.Arrived < age.TotalSeconds * options.SlowFrameBytesPerSecond)
        {
            NetworkMessages.SlowFrame(_logger, Client.Id, Client.Remote, _frames.Arrived, (long)age.TotalSeconds);
            Close();
        }
    }

    /// <summary>How long nothing has gone on; zero while a request is under way or a frame is arriving.</summary>
    public TimeSpan IdleFor(long now) => _answers.IsIdle && _frames.StartedAt == 0 ? Elapsed(_answers.LastActivity, now) : TimeSpan.Zero;

    private async Task ReadAsync()
    {
        try
        {
            while (await _frames.ReadAsync(_stopReading.Token) is { } frame)
            {
                var call = await BeginAsync(frame);
                await call.NextAllowed;
                if (call.Pause > TimeSpan.Zero)
                {
                    await Task.Delay(call.Pause, _server.Runtime.Time, _stopReading.Token);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The server drains, or the writing side has given the connection up.
        }
        catch (IOException lost)
        {
            // A health check that resets is no news, nor is a client that dies.
            NetworkMessages.Lost(_logger, Client.Id, Client.Remote, lost.Message);
        }
        catch (Exception refusal) when (refusal is UnservableRequestException or ProtocolException)
        {
            _server.Metrics.RequestRefused();
            NetworkMessages.Refused(_logger, Client.Id, Client.Remote, refusal.Message);
        }
        catch (Exception fault)
        {
            NetworkMessages.Fault(_logger, fault, Client.Id, Client.Remote);
        }
        finally
        {
            _answers.Complete();
        }
    }

    private async ValueTask<RequestCall> BeginAsync(RequestFrame frame)
    {
        BudgetLease own = default;
        RequestCall call;
        try
        {
            own = await _ownBudget.AcquireAsync(frame.Lease.Bytes, _stopReading.Token);
            await _answers.WaitForRoomAsync(_stopReading.Token);
            call = _server.Requests.Decode(frame.Buffer, Client);
        }
        catch
        {
            _answers.Release(frame, own);
            throw;
        }

        var underWay = new CallUnderWay(call, frame, own, _server.Runtime.Time.GetTimestamp());
        _answers.Begin(underWay, call.OutlivesConnection ? _server.Stopped : _abandoned.Token);
        return call;
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

    private void Cut(string reason)
    {
        _answers.Cut();
        _transport.Abort(new ConnectionAbortedException(reason));
    }

    private void GiveUp()
    {
        _stopReading.Cancel();
        _abandoned.Cancel();
    }

    private async ValueTask DisposeAsync()
    {
        Client.End();
        await _transport.DisposeAsync();
        _stopReading.Dispose();
        _abandoned.Dispose();
    }

    private TimeSpan Elapsed(long from, long now) => _server.Runtime.Time.GetElapsedTime(from, now);
}
