using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Millrace.Benchmarks.Fencing;

/// <summary>
/// This program in a virtual machine that has a device with persistent reservations, seen by several hosts: a real Linux kernel with an NVMe or a SCSI target
/// in it.
/// </summary>
internal static class FencingMachine
{
    private const string Script = "shared/testbeds/pr-vm.sh";

    // What loads it looks for them by name, which nothing that links finds out.
    private static readonly string[] Libraries = ["libssl.so.3", "libcrypto.so.3"];

    /// <param name="machine">Options of the script that makes the machine.</param>
    /// <param name="arguments">Of this command within it, behind the devices.</param>
    /// <param name="token">Ends it.</param>
    /// <returns>The exit code of what ran in it, or of making it.</returns>
    public static async Task<int> RunAsync(string[] machine, string[] arguments, CancellationToken token)
    {
        var script = Path.Combine(Path.GetDirectoryName(Checkout.Root)!, Script);
        if (!File.Exists(script))
        {
            Console.WriteLine($"Skipped: {script}, which makes a virtual machine with such a device, is not at hand.");
            Console.WriteLine("It goes with two paths to a device of one's own, too.");
            return 0;
        }

        using var payload = new ScratchFolder();
        Fill(payload.Path);
        using var process = Process.Start(new ProcessStartInfo(script, ["--dotnet", "-T", "900", .. machine, payload.Path, .. arguments]))!;
        await process.WaitForExitAsync(token);
        return process.ExitCode;
    }

    private static void Fill(string payload)
    {
        var program = Path.Combine(payload, "bench");
        foreach (var file in Directory.EnumerateFiles(AppContext.BaseDirectory, "*", SearchOption.TopDirectoryOnly))
        {
            Copy(file, program);
        }

        var framework = RuntimeEnvironment.GetRuntimeDirectory();
        var web = Path.Combine(framework, "..", "..", "Microsoft.AspNetCore.App", Path.GetFileName(Path.TrimEndingDirectorySeparator(framework)));
        foreach (var file in Directory.EnumerateFiles(web))
        {
            Copy(file, Path.Combine(payload, "Microsoft.AspNetCore.App", Path.GetFileName(Path.TrimEndingDirectorySeparator(framework))));
        }

        foreach (var library in Libraries)
        {
            Copy(Path.Combine("/usr/lib/x86_64-linux-gnu", library), Path.Combine(payload, "lib"));
        }

        // What makes a folder a checkout to the program.
        Copy(Path.Combine(Checkout.Root, "Millrace.slnx"), payload);
        var run = Path.Combine(payload, "run");
        File.WriteAllText(run, """
            #!/bin/sh
            cp -r Microsoft.AspNetCore.App "$DOTNET_ROOT/shared/"
            export LD_LIBRARY_PATH=$PWD/lib
            exec dotnet bench/Millrace.Benchmarks.dll fencing "$@"

            """);
        ProgramRun.Run("chmod", "+x", run);
    }

    private static void Copy(string file, string folder)
    {
        Directory.CreateDirectory(folder);
        File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
    }
}
