using System.Diagnostics;
using Xunit;

namespace Millrace.Tests.Streams.Wal.Media.Block;

/// <summary>A block device over a file, past the page cache, with sectors of a size of its own. Needs root, and skips its test without.</summary>
internal sealed class LoopDevice : IDisposable
{
    // While one is detached its name is free, and the next that is made would take it.
    private static readonly SemaphoreSlim Naming = new(1, 1);

    private readonly string _file;
    private readonly int _sector;
    private bool _detached;

    private LoopDevice(string path, string file, int sector) => (Path, _file, _sector) = (path, file, sector);

    public string Path { get; }

    public static LoopDevice Over(string file, long bytes, int sector)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/dev/loop-control"), "Loop devices need root and /dev/loop-control");
        using (var backing = new FileStream(file, FileMode.CreateNew))
        {
            backing.SetLength(bytes);
        }

        return OverThat(file, sector);
    }

    /// <summary>Over a file that is there.</summary>
    public static LoopDevice OverThat(string file, int sector)
    {
        Naming.Wait(TestContext.Current.CancellationToken);
        var (code, output) = (-1, "");
        try
        {
            (code, output) = Run("--find", "--show", "--direct-io=on", $"--sector-size={sector}", file);
        }
        finally
        {
            Naming.Release();
        }

        Assert.SkipUnless(code == 0, $"No loop device is to be had: {output}");
        return new LoopDevice(output.Trim(), file, sector);
    }

    public void Resize(long bytes)
    {
        using (var backing = new FileStream(_file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            backing.SetLength(bytes);
        }

        Require(Run("--set-capacity", Path));
    }

    /// <summary>Until it is attached again, or disposed of, no other is made.</summary>
    public void Detach()
    {
        Naming.Wait(TestContext.Current.CancellationToken);
        _detached = true;
        Require(Run("--detach", Path));
    }

    /// <summary>Under the name that it had.</summary>
    public void Attach()
    {
        Require(Run("--direct-io=on", $"--sector-size={_sector}", Path, _file));
        _detached = false;
        Naming.Release();
    }

    public void Dispose()
    {
        if (_detached)
        {
            Naming.Release();
        }
        else
        {
            Run("--detach", Path);
        }
    }

    private static void Require((int Code, string Output) run) => Assert.True(run.Code == 0, run.Output);

    private static (int Code, string Output) Run(params string[] arguments)
    {
        using var tool = Process.Start(new ProcessStartInfo("losetup", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = tool.StandardOutput.ReadToEnd() + tool.StandardError.ReadToEnd();
        tool.WaitForExit();
        return (tool.ExitCode, output);
    }
}
