using System.Diagnostics;
using Xunit;

namespace Millrace.Tests.Streams.Wal.Media.Block;

/// <summary>A block device over a file, past the page cache, with sectors of a size of its own. Needs root, and skips its test without.</summary>
internal sealed class LoopDevice : IDisposable
{
    private LoopDevice(string path) => Path = path;

    public string Path { get; }

    public static LoopDevice Over(string file, long bytes, int sector)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/dev/loop-control"), "Loop devices need root and /dev/loop-control");
        using (var backing = new FileStream(file, FileMode.CreateNew))
        {
            backing.SetLength(bytes);
        }

        var (code, output) = Run("--find", "--show", "--direct-io=on", $"--sector-size={sector}", file);
        Assert.SkipUnless(code == 0, $"No loop device is to be had: {output}");
        return new LoopDevice(output.Trim());
    }

    public void Dispose() => Run("--detach", Path);

    private static (int Code, string Output) Run(params string[] arguments)
    {
        using var tool = Process.Start(new ProcessStartInfo("losetup", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = tool.StandardOutput.ReadToEnd() + tool.StandardError.ReadToEnd();
        tool.WaitForExit();
        return (tool.ExitCode, output);
    }
}
