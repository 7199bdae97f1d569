using Millrace.Runtime.Files;

namespace Millrace.Tests.Streams.Wal;

public sealed class DirectFileWalTests() : FileWalTests(WalDeviceMode.Direct);
