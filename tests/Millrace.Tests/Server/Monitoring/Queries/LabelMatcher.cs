namespace Millrace.Tests.Server.Monitoring.Queries;

/// <summary>A condition on a label, as <c>outcome!="ok"</c>.</summary>
internal sealed record LabelMatcher(string Label, string Operator, string Value);
