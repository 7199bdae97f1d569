using Millrace.Protocol;

namespace Millrace.Broker.Apis;

/// <summary>A call whose answer does not depend on its body.</summary>
internal sealed class AnsweredCall(IMessage response) : RequestCall
{
    public override void WriteResponse(ref KafkaWriter writer) => response.Write(ref writer, ApiVersion);

    protected override Task HandleAsync(CancellationToken token)
    {
        AllowNext();
        return Task.CompletedTask;
    }
}
