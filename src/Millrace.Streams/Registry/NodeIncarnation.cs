using Millrace.Runtime.Ids;

namespace Millrace.Streams.Registry;

/// <summary>One life of a node: from its registration until it is fenced.</summary>
public readonly record struct NodeIncarnation(NodeId Node, NodeEpoch Epoch);
