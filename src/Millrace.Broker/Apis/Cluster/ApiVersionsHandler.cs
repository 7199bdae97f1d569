using System.Text.RegularExpressions;
using Millrace.Network.Requests;
using Millrace.Metadata.Image;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Cluster;

/// <summary>ApiVersions (key 18), v0–4.</summary>
/// <remarks>
/// v3: the client names its software; features. v4: features whose lowest level is 0. A version that is not served is
/// answered in v0 with UNSUPPORTED_VERSION and the served range, so that the client can ask again. Its answer has
/// the oldest response header at every version: the client does not know yet what the server understands.
/// </remarks>
internal sealed partial class ApiVersionsHandler(IMetadataFeed feed) : IApiHandler<ApiVersionsRequest, ApiVersionsResponse>
{
    /// <summary>
    /// Advertised and not served: old librdkafka takes a broker without Produce v0 for one that knows no compression but gzip,
    /// and Apache Kafka does the same for its sake.
    /// </summary>
    private const short AdvertisedProduceMin = 0;

    /// <summary>User interfaces tell a cluster's Kafka version by this feature; the range is that of Kafka 4.3.</summary>
    private const string MetadataVersion = "metadata.version";
    private const short MetadataVersionMin = 7;
    private const short MetadataVersionMax = 30;

    /// <summary>Keys from here on are our own, and no client is told of them: some keep a table by key, and Kafka has none so high.</summary>
    private const ApiKey FirstOwn = (ApiKey)10_000;

    private IReadOnlyList<ApiVersionsResponse.ApiVersion> _served = [];

    public static VersionRange Versions => new(0, 4);

    public void ReportErrors(ApiVersionsResponse response, ErrorTally errors) => errors.Add(response.ErrorCode);

    /// <summary>Set once, by the table that lists this handler too.</summary>
    public void Advertise(IEnumerable<(ApiKey Key, VersionRange Versions)> apis) =>
        _served = [.. apis.Where(api => api.Key < FirstOwn).OrderBy(api => api.Key).Select(api => Range(api.Key, api.Versions))];

    public ErrorCode Authorize(RequestContext context, ApiVersionsRequest request) => ErrorCode.None;

    public ApiVersionsResponse Refuse(RequestContext context, ApiVersionsRequest request, ErrorCode error) => new() { ErrorCode = (short)error };

    public ValueTask<ApiVersionsResponse> HandleAsync(RequestContext context, ApiVersionsRequest request, CancellationToken token)
    {
        if (context.ApiVersion >= 3
            && (!SoftwareName().IsMatch(request.ClientSoftwareName) || !SoftwareName().IsMatch(request.ClientSoftwareVersion)))
        {
            return ValueTask.FromResult(new ApiVersionsResponse { ErrorCode = (short)ErrorCode.InvalidRequest });
        }

        return ValueTask.FromResult(new ApiVersionsResponse
        {
            ApiKeys = _served,
            SupportedFeatures = [new() { Name = MetadataVersion, MinVersion = MetadataVersionMin, MaxVersion = MetadataVersionMax }],
            FinalizedFeatures = [new() { Name = MetadataVersion, MinVersionLevel = MetadataVersionMax, MaxVersionLevel = MetadataVersionMax }],
            FinalizedFeaturesEpoch = feed.Image.Version.ToInt64(),
        });
    }

    private static ApiVersionsResponse.ApiVersion Range(ApiKey key, VersionRange versions) => new()
    {
        ApiKey = (short)key,
        MinVersion = key == ApiKey.Produce ? AdvertisedProduceMin : versions.Min,
        MaxVersion = versions.Max,
    };

    [GeneratedRegex(@"\A[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex SoftwareName();
}
