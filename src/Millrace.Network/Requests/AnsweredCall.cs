using Millrace.Network.Access;
using Millrace.Protocol;
using Millrace.Protocol.Primitives;
using Millrace.Runtime.Buffers;

namespace Millrace.Network.Requests;

/// <summary>An ApiVersions call whose answer does not depend on its body.</summary>
internal sealed class AnsweredCall(ApiVersionsResponse response) : RequestCall
{
    /// <summary>The client cannot know which versions there are; an answer in the oldest one tells it. The rest of its request is not looked at.</summary>
    public static AnsweredCall OfUnsupportedVersion(VersionRange served, int correlationId, PooledBuffer frame, AccessCheck access)
    {
        var response = new ApiVersionsResponse
        {
            ErrorCode = (short)ErrorCode.UnsupportedVersion,
            ApiKeys = [new() { ApiKey = (short)ApiKey.ApiVersions, MinVersion = served.Min, MaxVersion = served.Max }],
        };
        return new AnsweredCall(response)
        {
            Api = ApiKey.ApiVersions,
            ApiVersion = 0,
            CorrelationId = correlationId,
            ClientId = null,
            Access = access,
            Frame = frame,
        };
    }

    public override void WriteResponse(ref KafkaWriter writer) => response.Write(ref writer, ApiVersion);

    public override void ReportErrors(ErrorTally errors) => errors.Add(response.ErrorCode);

    protected override Task HandleAsync(CancellationToken token)
    {
        AllowNext();
        return Task.CompletedTask;
    }
}
