using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;

namespace Millrace.Network.Links;

/// <summary>A call that was sent to a peer, until its answer has come or never will.</summary>
internal abstract class PeerCall
{
    public required int CorrelationId { get; init; }

    /// <summary>Takes the answer's bytes, without the size in front.</summary>
    /// <exception cref="ProtocolException">They are none of an answer to this call; the connection is of no more use.</exception>
    public abstract void Answer(ReadOnlyMemory<byte> frame);

    public abstract void Fail(IOException reason);

    /// <summary>A call whose answer has a type.</summary>
    internal sealed class Of<TResponse>(short version) : PeerCall
        where TResponse : class, IResponse<TResponse>
    {
        private readonly TaskCompletionSource<TResponse> _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<TResponse> Answered => _answered.Task;

        public override void Answer(ReadOnlyMemory<byte> frame)
        {
            var reader = new KafkaReader(frame);
            var header = ResponseHeader.Read(ref reader, TResponse.IsFlexible(version) ? (short)1 : (short)0);
            if (header.CorrelationId != CorrelationId)
            {
                throw new ProtocolException($"The peer answers call {header.CorrelationId} where call {CorrelationId} is to be answered");
            }

            _answered.TrySetResult(TResponse.Read(ref reader, version));
        }

        public override void Fail(IOException reason) => _answered.TrySetException(reason);
    }
}
