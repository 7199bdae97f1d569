namespace Millrace.Tests.Streams.Wal.Media.Block;

public sealed class BlockWalOn512ByteSectorsTests() : BlockWalOnLoopTests(512);
