using Millrace.Runtime;

namespace Millrace.Tests.Streams.Wal;

public sealed class DirectFileWalTests() : FileWalTests(WalDeviceMode.Direct);
