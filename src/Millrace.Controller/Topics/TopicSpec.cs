using Millrace.Runtime.Ids;

namespace Millrace.Controller.Topics;

/// <summary>A topic as it is to be created: checked, with every default filled in.</summary>
/// <param name="Name">Its name.</param>
/// <param name="ReplicationFactor">As asked for.</param>
/// <param name="Replicas">The replicas of each partition.</param>
/// <param name="Configs">What is set on the topic itself.</param>
internal sealed record TopicSpec(
    string Name, short ReplicationFactor, IReadOnlyList<IReadOnlyList<NodeId>> Replicas, IReadOnlyList<KeyValuePair<string, string>> Configs);
