using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;

namespace Millrace.Tests.Network.Serving;

/// <summary>A client that speaks frames, right or wrong.</summary>
internal sealed class RawClient : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Socket _socket;

    private RawClient(Socket socket) => _socket = socket;

    public static async Task<RawClient> ConnectAsync(EndPoint address)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(address);
        return new RawClient(socket);
    }

    public Task SendAsync<TRequest>(TRequest request, short version, int correlationId, string? clientId = "test")
        where TRequest : class, IRequest<TRequest> => SendBytesAsync(Frame(request, version, correlationId, clientId));

    public async Task SendBytesAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await _socket.SendAsync(bytes)..];
        }
    }

    public static byte[] Frame<TRequest>(TRequest request, short version, int correlationId, string? clientId = "test")
        where TRequest : class, IRequest<TRequest>
    {
        var body = new ArrayBufferWriter<byte>();
        var writer = new KafkaWriter(body);
        new RequestHeader
        {
            RequestApiKey = (short)TRequest.ApiKey,
            RequestApiVersion = version,
            CorrelationId = correlationId,
            ClientId = clientId,
        }.Write(ref writer, TRequest.IsFlexible(version) ? (short)2 : (short)1);
        request.Write(ref writer, version);
        writer.Flush();
        return Frame(body.WrittenSpan);
    }

    public static byte[] Frame(ReadOnlySpan<byte> body)
    {
        var frame = new byte[sizeof(int) + body.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, body.Length);
        body.CopyTo(frame.AsSpan(sizeof(int)));
        return frame;
    }

    /// <summary>The next response's correlation id and body.</summary>
    public async Task<(int CorrelationId, TResponse Response)> ReceiveAsync<TResponse>(short version)
        where TResponse : class, IResponse<TResponse>
    {
        var frame = await ReceiveFrameAsync() ?? throw new IOException("The server has closed the connection");
        return Decode<TResponse>(frame, version);
    }

    /// <summary>Waits until the server closes the connection; bytes that come before are dropped.</summary>
    public async Task<bool> IsClosedByServerAsync()
    {
        var buffer = new byte[4096];
        try
        {
            while (await _socket.ReceiveAsync(buffer.AsMemory()).AsTask().WaitAsync(Patience) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // A reset is a close, too.
        }

        return true;
    }

    /// <summary>Waits until the server ends the connection; whether that was in order (FIN) and no reset. Bytes that come before are dropped.</summary>
    public async Task<bool> IsEndedInOrderAsync()
    {
        var buffer = new byte[4096];
        try
        {
            while (await _socket.ReceiveAsync(buffer.AsMemory()).AsTask().WaitAsync(Patience) > 0)
            {
            }

            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Leaves with a reset, as some health checks do.</summary>
    public void Reset() => _socket.Close(0);

    public void CloseSending() => _socket.Shutdown(SocketShutdown.Send);

    public void Dispose() => _socket.Dispose();

    private static (int, TResponse) Decode<TResponse>(byte[] frame, short version)
        where TResponse : class, IResponse<TResponse>
    {
        var reader = new KafkaReader(frame);
        var header = ResponseHeader.Read(ref reader, ApiMessages.Find(TResponse.ApiKey)!.ResponseHeaderVersion(version));
        var response = TResponse.Read(ref reader, version);
        reader.ExpectEnd();
        return (header.CorrelationId, response);
    }

    private async Task<byte[]?> ReceiveFrameAsync()
    {
        var size = new byte[sizeof(int)];
        if (!await FillAsync(size))
        {
            return null;
        }

        var frame = new byte[BinaryPrimitives.ReadInt32BigEndian(size)];
        return await FillAsync(frame) ? frame : null;
    }

    private async Task<bool> FillAsync(Memory<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            var count = await _socket.ReceiveAsync(buffer).AsTask().WaitAsync(Patience);
            if (count == 0)
            {
                return false;
            }

            buffer = buffer[count..];
        }

        return true;
    }
}
