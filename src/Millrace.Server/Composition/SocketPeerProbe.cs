using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;
using Millrace.Protocol;
using Millrace.Protocol.Primitives;
using Millrace.Runtime;

namespace Millrace.Server.Composition;

/// <summary>Asks a broker over TCP for its cluster's id, as any client would.</summary>
internal sealed class SocketPeerProbe(NodeRuntime runtime) : IPeerProbe
{
    private const short Version = 9;
    private const int LargestAnswer = 1 << 20;

    // A broker that is alive answers within milliseconds; a paused or dead one never does.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public async ValueTask<bool> AnswersAsync(string host, int port, string clusterId, CancellationToken token)
    {
        using var timeout = new CancellationTokenSource(Patience, runtime.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, token);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(host, port, either.Token);
            using var stream = new NetworkStream(socket);
            await stream.WriteAsync(Request(), either.Token);
            return await ReadClusterIdAsync(stream, either.Token) == clusterId;
        }
        catch (Exception silence) when (silence is SocketException or IOException or ProtocolException
            || (silence is OperationCanceledException && !token.IsCancellationRequested))
        {
            return false;
        }
    }

    private static byte[] Request()
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new KafkaWriter(output);
        writer.WriteInt32(0);
        new RequestHeader { RequestApiKey = (short)ApiKey.Metadata, RequestApiVersion = Version, ClientId = "millrace-start" }
            .Write(ref writer, ApiMessages.Find(ApiKey.Metadata)!.RequestHeaderVersion(Version));
        new MetadataRequest { Topics = [], AllowAutoTopicCreation = false }.Write(ref writer, Version);
        writer.Flush();
        var frame = output.WrittenSpan.ToArray();
        BinaryPrimitives.WriteInt32BigEndian(frame, frame.Length - sizeof(int));
        return frame;
    }

    private static async ValueTask<string?> ReadClusterIdAsync(NetworkStream stream, CancellationToken token)
    {
        var size = new byte[sizeof(int)];
        await stream.ReadExactlyAsync(size, token);
        var length = BinaryPrimitives.ReadInt32BigEndian(size);
        if (length is <= 0 or > LargestAnswer)
        {
            return null;
        }

        var frame = new byte[length];
        await stream.ReadExactlyAsync(frame, token);
        return Decode(frame);
    }

    private static string? Decode(byte[] frame)
    {
        var reader = new KafkaReader(frame);
        ResponseHeader.Read(ref reader, ApiMessages.Find(ApiKey.Metadata)!.ResponseHeaderVersion(Version));
        return MetadataResponse.Read(ref reader, Version).ClusterId;
    }
}
