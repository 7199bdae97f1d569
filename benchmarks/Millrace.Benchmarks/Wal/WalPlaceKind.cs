namespace Millrace.Benchmarks.Wal;

/// <summary>What a WAL can lie on here.</summary>
internal enum WalPlaceKind
{
    BufferedFile,
    DirectFile,
    Loop512,
    Loop4096,
}
