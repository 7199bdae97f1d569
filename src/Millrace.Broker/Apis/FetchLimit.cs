using System.Globalization;
using Millrace.Metadata;

namespace Millrace.Broker.Apis;

/// <summary>The most bytes that one fetch is answered with, whatever the client asks for: <c>fetch.max.bytes</c>.</summary>
internal sealed class FetchLimit(BrokerIdentity identity, IMetadataFeed feed)
{
    /// <summary>Not settable at run time, so it is looked up once.</summary>
    public int MaxBytes { get; } =
        int.Parse(identity.Configs.Broker(feed.Image, BrokerConfigs.Find("fetch.max.bytes")!).Value!, CultureInfo.InvariantCulture);
}
