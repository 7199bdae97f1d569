using Millrace.Runtime;

namespace Millrace.Tests.Streams.Wal;

public sealed class BufferedFileWalTests() : FileWalTests(WalDeviceMode.Buffered);
