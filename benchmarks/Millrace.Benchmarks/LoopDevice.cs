using System.Diagnostics;

namespace Millrace.Benchmarks;

/// <summary>A block device over a file, past the page cache, with sectors of a size of its own. Needs root.</summary>
internal sealed class LoopDevice : IDisposable
{
    private LoopDevice(string path) => Path = path;

    public static bool ArePermitted => Environment.IsPrivilegedProcess && File.Exists("/dev/loop-control");

    public string Path { get; }

    /// <param name="file">Is made, and stays when the device goes.</param>
    /// <param name="bytes">How large it is.</param>
    /// <param name="sector">Bytes.</param>
    /// <exception cref="IOException">Says why the system gives none.</exception>
    public static LoopDevice Over(string file, long bytes, int sector)
    {
        // Written once: a file system that finds room for each first write is not what is measured.
        using (var backing = new FileStream(file, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 20))
        {
            var zeros = new byte[1 << 20];
            for (var written = 0L; written < bytes; written += zeros.Length)
            {
                backing.Write(zeros);
            }

            backing.Flush(flushToDisk: true);
        }

        return new LoopDevice(Run("--find", "--show", "--direct-io=on", $"--sector-size={sector}", file));
    }

    public void Dispose() => Run("--detach", Path);

    private static string Run(params string[] arguments)
    {
        using var tool = Process.Start(new ProcessStartInfo("losetup", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, errors) = (tool.StandardOutput.ReadToEnd(), tool.StandardError.ReadToEnd());
        tool.WaitForExit();
        return tool.ExitCode == 0 ? output.Trim() : throw new IOException($"losetup {string.Join(' ', arguments)}: {errors.Trim()}");
    }
}
