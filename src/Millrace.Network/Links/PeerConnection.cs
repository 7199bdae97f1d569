using System.Buffers;
using System.Buffers.Binary;
using Microsoft.AspNetCore.Connections;
using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;
using Millrace.Runtime;

namespace Millrace.Network.Links;

/// <summary>
/// A connection to another node, by which many calls go at once. Answers come in the order of the calls, so one that takes long, as a long poll does,
/// holds up those behind it: each kind of those has a connection of its own.
/// </summary>
/// <remarks>
/// It is lost once, for all: by the peer, by the network, by an answer that is none. Every call under way then ends with an <see cref="IOException"/>,
/// and whether it was done is not known. Threading: any thread.
/// </remarks>
public sealed class PeerConnection : IAsyncDisposable
{
    /// <summary>Bytes that an answer may have: what a controller sends in one piece is far smaller.</summary>
    private const int LargestAnswer = 64 << 20;

    /// <summary>What the other side reads before it has answered any.</summary>
    private const int MostInFlight = 256;

    private readonly ConnectionContext _transport;
    private readonly string _clientId;
    private readonly AsyncGate _inFlight = new(MostInFlight);
    private readonly AsyncGate _writing = new(1);
    private readonly Lock _lock = new();
    private readonly Queue<PeerCall> _waiting = new();
    private readonly TaskCompletionSource<IOException> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _reading;
    private IOException? _reason;
    private int _correlationId;

    /// <param name="runtime">Of the part of the node that calls.</param>
    /// <param name="transport">Connected; this owns it.</param>
    /// <param name="clientId">Names the caller in the peer's log.</param>
    public PeerConnection(NodeRuntime runtime, ConnectionContext transport, string clientId)
    {
        (_transport, _clientId) = (transport, clientId);
        _reading = runtime.Spawn("peer-answers", ReadAsync);
    }

    /// <summary>Completes, with the reason, when the connection is lost.</summary>
    public Task<IOException> Lost => _lost.Task;

    /// <summary>Asks in the highest version of the request's schema.</summary>
    /// <inheritdoc cref="CallAsync{TRequest, TResponse}(TRequest, short, CancellationToken)"/>
    public ValueTask<TResponse> CallAsync<TRequest, TResponse>(TRequest request, CancellationToken token)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse> =>
        CallAsync<TRequest, TResponse>(request, TRequest.Versions.Max, token);

    /// <param name="request">The question. It is written before this waits for the first time, or behind others.</param>
    /// <param name="version">Of the request and its answer. A peer that does not serve it closes the connection.</param>
    /// <param name="token">Ends the wait, not the call.</param>
    /// <exception cref="IOException">
    /// The connection is lost: with a <see cref="ProtocolException"/> inside where the peer does not speak the protocol.
    /// </exception>
    public async ValueTask<TResponse> CallAsync<TRequest, TResponse>(TRequest request, short version, CancellationToken token)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse>
    {
        await _inFlight.EnterAsync(token);
        PeerCall.Of<TResponse>? call = null;
        try
        {
            await _writing.EnterAsync(token);
            try
            {
                var next = new PeerCall.Of<TResponse>(version) { CorrelationId = ++_correlationId };
                var frame = Frame(request, version, next.CorrelationId);
                lock (_lock)
                {
                    if (_reason is not null)
                    {
                        throw new IOException(_reason.Message, _reason.InnerException);
                    }

                    _waiting.Enqueue(next);
                }

                call = next;
                _transport.Transport.Output.Write(frame);
            }
            finally
            {
                _writing.Exit();
            }

            await _transport.Transport.Output.FlushAsync(token);
        }
        catch (Exception failure)
        {
            if (call is null)
            {
                _inFlight.Exit();
                throw;
            }

            if (failure is not OperationCanceledException)
            {
                // Half of it may be on its way.
                Lose(failure.Message, failure);
            }
        }

        return await call.Answered.OrCancelled(token);
    }

    public async ValueTask DisposeAsync()
    {
        Lose("The connection was closed on this side");
        await _reading;
        await _transport.DisposeAsync();
    }

    private byte[] Frame<TRequest>(TRequest request, short version, int correlationId)
        where TRequest : class, IRequest<TRequest>
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new KafkaWriter(output);
        writer.WriteInt32(0);
        var header = new RequestHeader
        {
            RequestApiKey = (short)TRequest.ApiKey,
            RequestApiVersion = version,
            CorrelationId = correlationId,
            ClientId = _clientId,
        };
        header.Write(ref writer, TRequest.IsFlexible(version) ? (short)2 : (short)1);
        request.Write(ref writer, version);
        writer.Flush();
        var frame = output.WrittenSpan.ToArray();
        BinaryPrimitives.WriteInt32BigEndian(frame, frame.Length - sizeof(int));
        return frame;
    }

    private async Task ReadAsync(CancellationToken stopping)
    {
        try
        {
            while (await ReadFrameAsync(stopping) is { } frame)
            {
                PeerCall? call;
                lock (_lock)
                {
                    if (!_waiting.TryDequeue(out call))
                    {
                        throw new ProtocolException("The peer answers what nobody has asked");
                    }
                }

                _inFlight.Exit();
                try
                {
                    call.Answer(frame);
                }
                catch (ProtocolException malformed)
                {
                    call.Fail(new IOException(malformed.Message, malformed));
                    throw;
                }
            }

            Lose("The peer has closed the connection");
        }
        catch (OperationCanceledException)
        {
            Lose("The connection was given up");
        }
        catch (Exception failure) when (failure is IOException or ConnectionAbortedException or InvalidOperationException or ProtocolException)
        {
            Lose(failure.Message, failure);
        }
    }

    /// <returns>Null when the peer has closed its side, or this one was lost.</returns>
    private async ValueTask<byte[]?> ReadFrameAsync(CancellationToken stopping)
    {
        var size = new byte[sizeof(int)];
        if (!await TryFillAsync(size, stopping))
        {
            return null;
        }

        var length = BinaryPrimitives.ReadInt32BigEndian(size);
        if (length is < sizeof(int) or > LargestAnswer)
        {
            throw new ProtocolException($"The peer announces an answer of {length} bytes");
        }

        var frame = new byte[length];
        return await TryFillAsync(frame, stopping) ? frame : null;
    }

    private async ValueTask<bool> TryFillAsync(byte[] target, CancellationToken stopping)
    {
        var input = _transport.Transport.Input;
        var filled = 0;
        while (filled < target.Length)
        {
            var read = await input.ReadAsync(stopping);
            var take = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, target.Length - filled));
            take.CopyTo(target.AsSpan(filled));
            filled += (int)take.Length;
            input.AdvanceTo(take.End);
            if (filled < target.Length && (read.IsCompleted || read.IsCanceled))
            {
                return false;
            }
        }

        return true;
    }

    private void Lose(string reason, Exception? cause = null)
    {
        PeerCall[] calls;
        IOException lost;
        lock (_lock)
        {
            if (_reason is not null)
            {
                return;
            }

            lost = _reason = new IOException(reason, cause);
            calls = [.. _waiting];
            _waiting.Clear();
        }

        _transport.Abort(new ConnectionAbortedException(reason));
        foreach (var call in calls)
        {
            _inFlight.Exit();
            call.Fail(lost);
        }

        _lost.TrySetResult(lost);
    }
}
