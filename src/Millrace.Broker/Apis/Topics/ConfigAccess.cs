using Millrace.Network.Access;
using Millrace.Metadata.Configs;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Topics;

/// <summary>Who may see and set configs: a topic's belong to the topic, all others to the cluster, as in Kafka.</summary>
internal static class ConfigAccess
{
    public static ErrorCode Authorize(AccessCheck access, Operation operation, IEnumerable<(sbyte Type, string Name)> resources)
    {
        foreach (var (type, name) in resources)
        {
            var error = type == (sbyte)ConfigResourceType.Topic ? access.Topic(operation, name) : access.Cluster(operation);
            if (error != ErrorCode.None)
            {
                return error;
            }
        }

        return ErrorCode.None;
    }
}
