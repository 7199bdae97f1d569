using Millrace.Broker.Membership;
using Millrace.Metadata.Channel;
using Millrace.Protocol;
using Millrace.Runtime;

namespace Millrace.Broker.Partitions.Producers;

/// <summary>Hands out producer ids that nobody ever had: one at a time, from blocks that the controller gives this incarnation.</summary>
/// <remarks>Threading: any thread. A block that is not used up is lost with the process; ids are never handed out again.</remarks>
internal sealed class ProducerIdBlocks(BrokerIdentity identity, IControllerChannel controller)
{
    private readonly AsyncGate _gate = new(places: 1);
    private long _next;
    private long _end;

    /// <summary>The next id, or the controller's error.</summary>
    /// <exception cref="ControllerException">The controller was not to be asked.</exception>
    public async ValueTask<(ErrorCode Error, long ProducerId)> NextAsync(CancellationToken token)
    {
        await _gate.EnterAsync(token);
        try
        {
            if (_next == _end)
            {
                var block = await controller.SendAsync<AllocateProducerIdsRequest, AllocateProducerIdsResponse>(
                    new AllocateProducerIdsRequest { BrokerId = identity.Node.Value, BrokerEpoch = identity.Epoch.Value }, token);
                if (block.ErrorCode != (short)ErrorCode.None)
                {
                    return ((ErrorCode)block.ErrorCode, -1);
                }

                Invariant.Check(block.ProducerIdLen > 0 && block.ProducerIdStart >= _end);
                _next = block.ProducerIdStart;
                _end = block.ProducerIdStart + block.ProducerIdLen;
            }

            return (ErrorCode.None, _next++);
        }
        finally
        {
            _gate.Exit();
        }
    }
}
