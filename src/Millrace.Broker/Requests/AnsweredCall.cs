using Millrace.Protocol;
using Millrace.Protocol.Primitives;

namespace Millrace.Broker.Requests;

/// <summary>An ApiVersions call whose answer does not depend on its body.</summary>
internal sealed class AnsweredCall(ApiVersionsResponse response) : RequestCall
{
    public override void WriteResponse(ref KafkaWriter writer) => response.Write(ref writer, ApiVersion);

    public override void ReportErrors(ErrorTally errors) => errors.Add(response.ErrorCode);

    protected override Task HandleAsync(CancellationToken token)
    {
        AllowNext();
        return Task.CompletedTask;
    }
}
