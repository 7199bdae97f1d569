using Millrace.Runtime.Files;

namespace Millrace.Tests.Streams.Wal.Ring;

public sealed class DirectFileWalTests() : FileWalTests(WalDeviceMode.Direct);
