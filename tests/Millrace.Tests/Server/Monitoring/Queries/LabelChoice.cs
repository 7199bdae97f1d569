namespace Millrace.Tests.Server.Monitoring.Queries;

/// <summary>Labels that are named, or all but these: <c>by</c> and <c>without</c>, <c>on</c> and <c>ignoring</c>.</summary>
internal sealed record LabelChoice(bool Includes, IReadOnlyList<string> Labels);
