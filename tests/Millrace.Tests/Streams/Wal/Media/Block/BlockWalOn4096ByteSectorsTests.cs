namespace Millrace.Tests.Streams.Wal.Media.Block;

public sealed class BlockWalOn4096ByteSectorsTests() : BlockWalOnLoopTests(4096);
