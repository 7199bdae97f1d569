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

    // Of those that its package has the one that needs nothing but glibc.
    private const string Client = "runtimes/linux-x64/native/centos8-librdkafka.so";

    // Seconds, and MiB: two brokers and their store in memory, beside the device.
    private static readonly string[] Limits = ["-T", "900"];
    private static readonly string[] LimitsOfBrokers = ["-T", "3600", "-n", "3", "-s", "256", "-m", "4096"];

    // What loads it looks for them by name, which nothing that links finds out.
    private static readonly string[] Libraries = ["libssl.so.3", "libcrypto.so.3"];

    /// <param name="machine">Options of the script that makes the machine.</param>
    /// <param name="brokers">Whether whole brokers run in it, and not the WAL alone.</param>
    /// <param name="arguments">Of this command within it, behind the devices.</param>
    /// <param name="token">Ends it.</param>
    /// <returns>The exit code of what ran in it, or of making it.</returns>
    public static async Task<int> RunAsync(string[] machine, bool brokers, string[] arguments, CancellationToken token)
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
        if (brokers)
        {
            AddProgram(payload.Path);
        }

        string[] options = ["--dotnet", .. brokers ? LimitsOfBrokers : Limits, .. machine];
        using var process = Process.Start(new ProcessStartInfo(script, [.. options, payload.Path, .. arguments]))!;
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
            # Without its own processor each measurement of code costs more than what comes of it.
            export LD_LIBRARY_PATH=$PWD/lib DOTNET_TieredPGO=0
            exec dotnet bench/Millrace.Benchmarks.dll fencing "$@"

            """);
        ProgramRun.Run("chmod", "+x", run);
    }

    /// <summary>The program as users have it, under the name that it has in a checkout, and the client that the load comes from.</summary>
    private static void AddProgram(string payload)
    {
        var millrace = Path.Combine(Checkout.Root, "millrace");

        // Builds it, if need be.
        ProgramRun.Run(millrace, "--version");
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Checkout.Root, "artifacts", "publish", "Millrace.Server", "release")))
        {
            if (Path.GetExtension(file) is not (".pdb" or ".xml"))
            {
                Copy(file, Path.Combine(payload, "program"));
            }
        }

        File.CreateSymbolicLink(Path.Combine(payload, "millrace"), Path.Combine("program", "millrace"));
        Copy(Path.Combine(AppContext.BaseDirectory, Client), Path.Combine(payload, "bench", Path.GetDirectoryName(Client)!));
    }

    private static void Copy(string file, string folder)
    {
        Directory.CreateDirectory(folder);
        File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
    }
}
