using Millrace.Runtime.Files;

namespace Millrace.Tests.Streams.Wal;

public sealed class BufferedFileWalTests() : FileWalTests(WalDeviceMode.Buffered);
