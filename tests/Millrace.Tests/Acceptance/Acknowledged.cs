namespace Millrace.Tests.Acceptance;

/// <summary>A record that the broker has promised to keep.</summary>
internal readonly record struct Acknowledged(int Partition, long Offset, string Producer, long Number);
