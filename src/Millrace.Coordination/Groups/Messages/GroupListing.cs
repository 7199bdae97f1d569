namespace Millrace.Coordination.Groups.Messages;

/// <summary>A group as a list shows it.</summary>
/// <param name="GroupId">Its id.</param>
/// <param name="ProtocolType">Empty for a group that only stores offsets.</param>
/// <param name="State">Its state.</param>
/// <param name="Type">Kafka's word for its kind, e.g. <c>classic</c>.</param>
public readonly record struct GroupListing(string GroupId, string ProtocolType, GroupState State, string Type);
