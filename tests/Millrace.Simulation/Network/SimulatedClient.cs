using System.Buffers;
using System.Buffers.Binary;
using Millrace.Protocol;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Network;

/// <summary>A Kafka client that makes one request at a time, and gives its connection up when no answer comes.</summary>
internal sealed class SimulatedClient(Lane lane, Func<SimulatedListener?> server)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private SimulatedConnection? _connection;
    private int _correlation;

    /// <exception cref="IOException">No answer: whether the request was done is unknown.</exception>
    public async Task<TResponse> CallAsync<TRequest, TResponse>(TRequest request, short version)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse>
    {
        _connection ??= (server() ?? throw new IOException("connection refused")).Connect(lane);
        var connection = _connection;
        using var patience = new CancellationTokenSource(Patience, lane.Time);
        try
        {
            await connection.Client.Output.WriteAsync(Encode(request, version), patience.Token);
            var answer = await ReceiveAsync<TResponse>(connection, version, patience.Token);
            return answer;
        }
        catch (Exception silence) when (silence is OperationCanceledException or IOException or InvalidOperationException)
        {
            _connection = null;
            connection.Close();
            throw new IOException("no answer", silence);
        }
    }

    private byte[] Encode<TRequest>(TRequest request, short version)
        where TRequest : class, IRequest<TRequest>
    {
        var body = new ArrayBufferWriter<byte>();
        var writer = new KafkaWriter(body);
        new RequestHeader
        {
            RequestApiKey = (short)TRequest.ApiKey,
            RequestApiVersion = version,
            CorrelationId = ++_correlation,
            ClientId = lane.Name,
        }.Write(ref writer, ApiMessages.Find(TRequest.ApiKey)!.RequestHeaderVersion(version));
        request.Write(ref writer, version);
        writer.Flush();
        var frame = new byte[sizeof(int) + body.WrittenCount];
        BinaryPrimitives.WriteInt32BigEndian(frame, body.WrittenCount);
        body.WrittenSpan.CopyTo(frame.AsSpan(sizeof(int)));
        return frame;
    }

    private async Task<TResponse> ReceiveAsync<TResponse>(SimulatedConnection connection, short version, CancellationToken token)
        where TResponse : class, IResponse<TResponse>
    {
        var input = connection.Client.Input;
        while (true)
        {
            var read = await input.ReadAsync(token);
            if (Frame(read.Buffer) is { } frame)
            {
                input.AdvanceTo(read.Buffer.GetPosition(sizeof(int) + frame.Length));
                return Decode<TResponse>(frame, version);
            }

            if (read.IsCompleted)
            {
                throw new IOException("the server has closed the connection");
            }

            input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static byte[]? Frame(ReadOnlySequence<byte> bytes)
    {
        if (bytes.Length < sizeof(int))
        {
            return null;
        }

        var size = BinaryPrimitives.ReadInt32BigEndian(bytes.Slice(0, sizeof(int)).ToArray());
        return bytes.Length < sizeof(int) + size ? null : bytes.Slice(sizeof(int), size).ToArray();
    }

    private TResponse Decode<TResponse>(byte[] frame, short version)
        where TResponse : class, IResponse<TResponse>
    {
        var reader = new KafkaReader(frame);
        var header = ResponseHeader.Read(ref reader, ApiMessages.Find(TResponse.ApiKey)!.ResponseHeaderVersion(version));
        var response = TResponse.Read(ref reader, version);
        reader.ExpectEnd();
        return header.CorrelationId == _correlation ? response : throw new Scenarios.ViolationException($"answer {header.CorrelationId} came for request {_correlation}");
    }
}
