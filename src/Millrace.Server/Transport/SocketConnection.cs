using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;
using Millrace.Runtime;

namespace Millrace.Server.Transport;

/// <summary>
/// A connection's two pipes and the loops between them and the socket. What is written leaves in order; what a client sends
/// waits in its pipe up to a bound, and then in the kernel.
/// </summary>
/// <remarks>
/// Ends: <see cref="DisposeAsync"/> is the orderly one. It sends what was written and then FIN, reads on for a moment and drops
/// what comes, and closes only then: the kernel answers bytes that nobody has read with RST, which the peer may see before
/// what was sent to it. <see cref="Abort"/> waits for nothing. Threading: any thread.
/// </remarks>
internal sealed class SocketConnection : DefaultConnectionContext
{
    /// <summary>
    /// What a connection's pipe may hold before it stops to receive. Frames are copied out of it as they arrive, so that it
    /// only fills where a request waits for room.
    /// </summary>
    private const int MaxUnreadBytes = 256 << 10;

    /// <summary>A writer waits while so much is not sent. One answer may be larger, and several that are ready leave together.</summary>
    private const int MaxUnsentBytes = 64 << 10;

    /// <summary>Bytes that are dropped behind the end, at most: who sends more is cut off.</summary>
    private const int MaxDroppedBytes = 4 << 20;

    /// <summary>How long a peer has to close its side. Those that still read answer a FIN at once.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(1);

    private readonly NodeRuntime _runtime;
    private readonly Socket _socket;
    private readonly TransportBlocks _blocks;
    private readonly Pipe _input;
    private readonly Pipe _output;
    private readonly List<ArraySegment<byte>> _segments = [];
    private readonly CancellationTokenSource _closed = new();
    private readonly Lock _lock = new();
    private readonly Task _receiving;
    private readonly Task _sending;
    private ConnectionAbortedException? _aborted;
    private bool _isSending;

    public SocketConnection(NodeRuntime runtime, Socket socket, TransportBlocks blocks, string id)
        : base(id)
    {
        _runtime = runtime;
        _socket = socket;
        _blocks = blocks;
        _input = new Pipe(PipeOptionsOf(blocks, MaxUnreadBytes));
        _output = new Pipe(PipeOptionsOf(blocks, MaxUnsentBytes));
        Transport = new Ends(_input.Reader, _output.Writer);
        LocalEndPoint = socket.LocalEndPoint;
        RemoteEndPoint = socket.RemoteEndPoint;
        ConnectionClosed = _closed.Token;
        _receiving = ReceiveAsync();
        _sending = SendAsync();
    }

    /// <summary>
    /// Ends the connection at once: what is not sent is lost. The peer sees an ordinary end (FIN), unless the kernel still has
    /// bytes that it does not take: those are dropped too (RST), since nobody would ever free them.
    /// </summary>
    public override void Abort(ConnectionAbortedException abortReason)
    {
        lock (_lock)
        {
            if (_aborted is not null)
            {
                return;
            }

            _aborted = abortReason;
            if (!_isSending)
            {
                ShutDown();
            }

            _socket.Close(_isSending ? 0 : -1);
        }

        _output.Reader.CancelPendingRead();
        _input.Writer.CancelPendingFlush();
    }

    /// <summary>Ends the connection in order. Whoever serves it has ended, and touches its pipes no more.</summary>
    public override async ValueTask DisposeAsync()
    {
        Transport.Input.Complete();
        Transport.Output.Complete();
        await _sending;
        if (!_receiving.IsCompleted)
        {
            using var over = new CancellationTokenSource();
            await Waiting.Either(_receiving, Task.Delay(Farewell, _runtime.Time, over.Token));
            over.Cancel();
        }

        _socket.Dispose();
        await _receiving;
        _closed.Dispose();
        await base.DisposeAsync();
    }

    private static PipeOptions PipeOptionsOf(TransportBlocks blocks, int pause) => new(
        blocks, PipeScheduler.ThreadPool, PipeScheduler.ThreadPool, pause, pause / 2, minimumSegmentSize: 4096, useSynchronizationContext: false);

    private async Task ReceiveAsync()
    {
        Exception? failure = null;
        try
        {
            await (await FillAsync() ? DropAsync() : Task.CompletedTask);
        }
        catch (SocketException lost)
        {
            failure = _aborted ?? (Exception)new ConnectionResetException(lost.Message, lost);
        }
        catch (ObjectDisposedException)
        {
            failure = _aborted ?? new ConnectionAbortedException();
        }
        catch (Exception fault)
        {
            // Whoever reads the pipe gets it, and says so.
            failure = fault;
        }
        finally
        {
            _input.Writer.Complete(failure);
            _closed.Cancel();
        }
    }

    /// <summary>Receives until the peer has ended its side, or nobody reads any more.</summary>
    /// <returns>Whether the peer may still send.</returns>
    private async Task<bool> FillAsync()
    {
        var input = _input.Writer;
        while (true)
        {
            // Memory is taken when there is something to put in: most connections wait most of the time.
            await _socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None);
            var count = await _socket.ReceiveAsync(input.GetMemory(TransportBlocks.BlockBytes / 2), SocketFlags.None);
            if (count == 0)
            {
                return false;
            }

            input.Advance(count);
            var flush = await input.FlushAsync();
            if (flush.IsCompleted || flush.IsCanceled)
            {
                return true;
            }
        }
    }

    private async Task DropAsync()
    {
        for (var dropped = 0; dropped < MaxDroppedBytes;)
        {
            await _socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None);
            using var block = _blocks.Rent();
            var count = await _socket.ReceiveAsync(block.Memory, SocketFlags.None);
            if (count == 0)
            {
                return;
            }

            dropped += count;
        }
    }

    private async Task SendAsync()
    {
        var output = _output.Reader;
        try
        {
            while (true)
            {
                var read = await output.ReadAsync();
                if (read.IsCanceled)
                {
                    break;
                }

                await SendAsync(read.Buffer);
                output.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                {
                    break;
                }
            }
        }
        catch (Exception failure)
        {
            // Nothing more can be sent, mostly since the peer is gone; so there is nothing to receive for, either.
            Abort(new ConnectionAbortedException(failure.Message, failure));
        }
        finally
        {
            lock (_lock)
            {
                ShutDown();
            }

            output.Complete();
        }
    }

    private async ValueTask SendAsync(ReadOnlySequence<byte> bytes)
    {
        Volatile.Write(ref _isSending, true);
        while (!bytes.IsEmpty)
        {
            var sent = bytes.IsSingleSegment
                ? await _socket.SendAsync(bytes.First, SocketFlags.None)
                : await _socket.SendAsync(SegmentsOf(bytes), SocketFlags.None);
            bytes = bytes.Slice(sent);
        }

        // A connection that is idle must not keep blocks alive that were given up since.
        _segments.Clear();
        Volatile.Write(ref _isSending, false);
    }

    private List<ArraySegment<byte>> SegmentsOf(ReadOnlySequence<byte> bytes)
    {
        _segments.Clear();
        foreach (var memory in bytes)
        {
            Invariant.Check(MemoryMarshal.TryGetArray(memory, out var segment));
            _segments.Add(segment);
        }

        return _segments;
    }

    /// <summary>Sends FIN behind what was sent.</summary>
    private void ShutDown()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            // It has ended already.
        }
    }

    private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
