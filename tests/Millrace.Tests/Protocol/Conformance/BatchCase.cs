namespace Millrace.Tests.Protocol.Conformance;

/// <summary>Bytes that a client might send for a partition, and how they were made.</summary>
internal sealed record BatchCase(int Number, string Name, byte[] Bytes);
