using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;
using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;

namespace Millrace.Server.Transport;

/// <summary>A connection to a broker, for a few questions one after another, each answered before the next is put.</summary>
/// <remarks>
/// Every call ends with its token at the latest. What goes wrong is a <see cref="SocketException"/> (no connection), an
/// <see cref="IOException"/> (it is cut) or a <see cref="ProtocolException"/> (what answers does not speak Kafka's protocol).
/// Threading: one caller at a time.
/// </remarks>
internal sealed class PeerConnection : IDisposable
{
    // Metadata of ten thousand partitions takes about half a megabyte.
    private const int LargestAnswer = 16 << 20;

    private readonly Socket _socket;
    private readonly NetworkStream _stream;
    private readonly string _clientId;
    private int _correlationId;

    private PeerConnection(Socket socket, string clientId) =>
        (_socket, _stream, _clientId) = (socket, new NetworkStream(socket, ownsSocket: false), clientId);

    public static async ValueTask<PeerConnection> OpenAsync(string host, int port, string clientId, CancellationToken token)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(host, port, token);
            return new PeerConnection(socket, clientId);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <param name="request">The question.</param>
    /// <param name="version">Of the request and its answer. A broker that does not serve it cuts the connection.</param>
    /// <param name="token">Ends the wait; the connection is of no more use then.</param>
    public async ValueTask<TResponse> AskAsync<TRequest, TResponse>(TRequest request, short version, CancellationToken token)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse>
    {
        await _stream.WriteAsync(Frame(request, version, ++_correlationId), token);
        var size = new byte[sizeof(int)];
        await _stream.ReadExactlyAsync(size, token);
        var length = BinaryPrimitives.ReadInt32BigEndian(size);
        if (length is <= 0 or > LargestAnswer)
        {
            throw new ProtocolException($"an answer of {length} bytes");
        }

        var frame = new byte[length];
        await _stream.ReadExactlyAsync(frame, token);
        return Decode<TResponse>(frame, version);
    }

    public void Dispose()
    {
        _stream.Dispose();
        _socket.Dispose();
    }

    private byte[] Frame<TRequest>(TRequest request, short version, int correlationId)
        where TRequest : class, IRequest<TRequest>
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new KafkaWriter(output);
        writer.WriteInt32(0);
        new RequestHeader { RequestApiKey = (short)TRequest.ApiKey, RequestApiVersion = version, CorrelationId = correlationId, ClientId = _clientId }
            .Write(ref writer, TRequest.IsFlexible(version) ? (short)2 : (short)1);
        request.Write(ref writer, version);
        writer.Flush();
        var frame = output.WrittenSpan.ToArray();
        BinaryPrimitives.WriteInt32BigEndian(frame, frame.Length - sizeof(int));
        return frame;
    }

    private TResponse Decode<TResponse>(byte[] frame, short version)
        where TResponse : class, IResponse<TResponse>
    {
        var reader = new KafkaReader(frame);
        var header = ResponseHeader.Read(ref reader, TResponse.IsFlexible(version) ? (short)1 : (short)0);
        return header.CorrelationId == _correlationId
            ? TResponse.Read(ref reader, version)
            : throw new ProtocolException("an answer to another question");
    }
}
