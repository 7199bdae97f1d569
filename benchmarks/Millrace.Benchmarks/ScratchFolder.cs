namespace Millrace.Benchmarks;

/// <summary>A folder for one measurement, gone with it.</summary>
internal sealed class ScratchFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("millrace-bench-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
