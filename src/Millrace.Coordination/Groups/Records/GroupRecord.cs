namespace Millrace.Coordination.Groups.Records;

/// <summary>One record of <c>__consumer_offsets</c>, of a kind that this version knows.</summary>
internal abstract record GroupRecord(string GroupId);
