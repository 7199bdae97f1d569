using System.Buffers;
using System.Buffers.Binary;
using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Network;

/// <summary>
/// A Kafka client with one connection, which it gives up when no answer comes. Requests may be sent several at a time; their
/// answers come in the same order.
/// </summary>
/// <param name="kernel">Its world.</param>
/// <param name="lane">Where its caller runs.</param>
/// <param name="name">The client id.</param>
/// <param name="route">Where its requests go.</param>
/// <param name="weather">How the network behaves at the moment.</param>
internal sealed class SimulatedClient(SimulationKernel kernel, Lane lane, string name, IServerRoute route, Func<NetworkWeather> weather)
{
    private static readonly TimeSpan ShortestBackoff = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan LongestGap = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LatestCut = TimeSpan.FromMilliseconds(50);
    private readonly SeededRandom _random = new(kernel.Random.NextUInt64());
    private SimulatedConnection? _connection;
    private int _correlation;

    /// <summary>How long it waits for an answer, connecting included.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How often there is some time between two requests that it sends together: what the first was refused for may have passed.</summary>
    public double Gaps { get; init; }

    /// <exception cref="IOException">No answer: whether the request was done is unknown.</exception>
    public async Task<TResponse> CallAsync<TRequest, TResponse>(TRequest request, short version)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse> =>
        await CallAllAsync<TRequest, TResponse>([request], version) is [var answer] ? answer : throw new IOException("no answer");

    /// <summary>Sends requests without waiting in between.</summary>
    /// <param name="requests">In order.</param>
    /// <param name="version">Of all of them.</param>
    /// <param name="isAnswered">False for a request that asks for no answer; null if all do.</param>
    /// <returns>The answers that came: fewer than requests that want one if the connection was lost; whether the rest was done is unknown.</returns>
    public async Task<IReadOnlyList<TResponse>> CallAllAsync<TRequest, TResponse>(
        IReadOnlyList<TRequest> requests, short version, Func<TRequest, bool>? isAnswered = null)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse>
    {
        var answers = new List<TResponse>();
        using var patience = new CancellationTokenSource(Patience, lane.Time);
        SimulatedConnection? connection = null;
        try
        {
            connection = _connection ??= await ConnectAsync(patience.Token);
            var first = _correlation + 1;
            foreach (var request in requests)
            {
                if (request != requests[0] && Gaps > 0 && _random.Chance(Gaps))
                {
                    kernel.Coverage.Count("network: gaps between requests");
                    await Task.Delay(_random.Between(TimeSpan.Zero, LongestGap), lane.Time, patience.Token);
                }

                await SendAsync(connection, Encode(request, version), patience.Token);
            }

            CutPerhaps(connection);
            for (var i = 0; i < requests.Count; i++)
            {
                if (isAnswered is null || isAnswered(requests[i]))
                {
                    answers.Add(await ReceiveAsync<TResponse>(connection, first + i, version, patience.Token));
                }
            }
        }
        catch (Exception silence) when (silence is OperationCanceledException or IOException or InvalidOperationException)
        {
            kernel.Coverage.Count("clients: no answer");
            Disconnect();
        }

        if (answers.Exists(answer => route.IsElsewhere(answer)))
        {
            Disconnect();
        }

        return answers;
    }

    /// <summary>Leaves; the next request connects anew.</summary>
    public void Disconnect()
    {
        _connection?.Close();
        _connection = null;
    }

    private async Task<SimulatedConnection> ConnectAsync(CancellationToken token)
    {
        for (var backoff = ShortestBackoff; ; backoff = backoff * 2 < LongestBackoff ? backoff * 2 : LongestBackoff)
        {
            if ((await route.FindAsync())?.TryConnect(lane) is { } connection)
            {
                return connection;
            }

            await Task.Delay(backoff, lane.Time, token);
        }
    }

    private async Task SendAsync(SimulatedConnection connection, byte[] frame, CancellationToken token)
    {
        var output = connection.Client.Output;
        var lot = _random.NextDouble();
        if ((lot -= weather().HalfFrame) < 0)
        {
            await output.WriteAsync(frame.AsMemory(0, _random.Next(1, frame.Length)), token);
            Count("network: ended within a frame");
            await Task.Delay(_random.Between(TimeSpan.Zero, LatestCut), lane.Time, token);
            if (_random.Chance(0.5))
            {
                connection.Cut();
            }

            throw new IOException("the connection ended within a frame");
        }

        var sent = 0;
        if (lot - weather().Pieces < 0)
        {
            sent = _random.Next(1, frame.Length);
            await output.WriteAsync(frame.AsMemory(0, sent), token);
            Count("network: frame in pieces");
            await Task.Delay(_random.Between(TimeSpan.Zero, LongestPause), lane.Time, token);
        }

        await output.WriteAsync(frame.AsMemory(sent), token);
    }

    private void CutPerhaps(SimulatedConnection connection)
    {
        if (_random.Chance(weather().CutBeforeAnswer))
        {
            kernel.At(kernel.Now + _random.Between(TimeSpan.Zero, LatestCut), lane, () =>
            {
                // It may have been lost otherwise by now, and another one be in its place.
                if (ReferenceEquals(_connection, connection))
                {
                    Count("network: cut after sending");
                    connection.Cut();
                }
            });
        }
    }

    private void Count(string what)
    {
        kernel.Coverage.Count(what);
        kernel.Coverage.Count(CoverageNames.Faults);
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
            ClientId = name,
        }.Write(ref writer, ApiMessages.Find(TRequest.ApiKey)!.RequestHeaderVersion(version));
        request.Write(ref writer, version);
        writer.Flush();
        var frame = new byte[sizeof(int) + body.WrittenCount];
        BinaryPrimitives.WriteInt32BigEndian(frame, body.WrittenCount);
        body.WrittenSpan.CopyTo(frame.AsSpan(sizeof(int)));
        return frame;
    }

    private static async Task<TResponse> ReceiveAsync<TResponse>(SimulatedConnection connection, int correlation, short version, CancellationToken token)
        where TResponse : class, IResponse<TResponse>
    {
        var input = connection.Client.Input;
        while (true)
        {
            var read = await input.ReadAsync(token);
            if (read.IsCanceled)
            {
                throw new IOException("the connection was cut");
            }

            if (Frame(read.Buffer) is { } frame)
            {
                input.AdvanceTo(read.Buffer.GetPosition(sizeof(int) + frame.Length));
                return Decode<TResponse>(frame, correlation, version);
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

    private static TResponse Decode<TResponse>(byte[] frame, int correlation, short version)
        where TResponse : class, IResponse<TResponse>
    {
        var reader = new KafkaReader(frame);
        var header = ResponseHeader.Read(ref reader, ApiMessages.Find(TResponse.ApiKey)!.ResponseHeaderVersion(version));
        var response = TResponse.Read(ref reader, version);
        reader.ExpectEnd();
        return header.CorrelationId == correlation
            ? response
            : throw new Scenarios.ViolationException($"answer {header.CorrelationId} came for request {correlation}");
    }
}
