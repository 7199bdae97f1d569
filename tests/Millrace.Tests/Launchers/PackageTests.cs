using Millrace.Tests.Clients;
using Xunit;

namespace Millrace.Tests.Launchers;

/// <summary>What <c>./millrace package</c> has made, which <c>MILLRACE_TEST_PACKAGE</c> names: unpacked, and run with nothing of this machine's.</summary>
public sealed class PackageTests : IDisposable
{
    private const long MaxPackedBytes = 45_000_000;

    private readonly TemporaryDirectory _directory = new();

    [Fact]
    public async Task An_archive_is_small_holds_nothing_for_developers_and_runs_without_any_environment()
    {
        var archive = Environment.GetEnvironmentVariable("MILLRACE_TEST_PACKAGE");
        Assert.SkipWhen(archive is null, "Making a package takes minutes: MILLRACE_TEST_PACKAGE=$(./millrace package) ./test Package");
        Assert.InRange(new FileInfo(archive).Length, 1, MaxPackedBytes);
        await Tool.RunAsync("tar", ["--extract", "--gzip", "--file", archive, "--directory", _directory.Path]);
        var folder = Assert.Single(Directory.EnumerateDirectories(_directory.Path));
        Assert.Equal(Path.GetFileName(archive), Path.GetFileName(folder) + ".tar.gz");
        var files = Directory.EnumerateFiles(folder).Select(file => Path.GetFileName(file)).ToList();
        Assert.Contains("README.md", files);
        Assert.Equal(
            await File.ReadAllTextAsync(Path.Combine(Repository.Root, "eng/PACKAGE.md"), TestContext.Current.CancellationToken),
            await File.ReadAllTextAsync(Path.Combine(folder, "README.md"), TestContext.Current.CancellationToken));
        Assert.DoesNotContain(files, file => Path.GetExtension(file) is ".pdb" or ".xml");

        var program = Path.Combine(folder, "millrace");
        Assert.StartsWith("Millrace ", await RunAsync(program, "", "--version"), StringComparison.Ordinal);
        await using var broker = await MillraceProcess.StartBareAsync(program, _directory.Sub("data"));
        await RunAsync(program, "", "topic", "create", "packed", "--partitions", "1", "-b", broker.BootstrapServers);
        await RunAsync(program, "hello\n", "produce", "packed", "-b", broker.BootstrapServers);
        Assert.Contains(
            "\"value\":\"hello\"",
            await RunAsync(program, "", "consume", "packed", "--exit", "--json", "-b", broker.BootstrapServers),
            StringComparison.Ordinal);
        Assert.Contains("packed", await RunAsync(program, "", "topic", "list", "--json", "-b", broker.BootstrapServers), StringComparison.Ordinal);
        using var http = new HttpClient();
        Assert.Contains(
            "millrace_partition_records",
            await http.GetStringAsync(new Uri(broker.Http, "/metrics"), TestContext.Current.CancellationToken),
            StringComparison.Ordinal);
        Assert.Equal(0, await broker.StopAsync());
    }

    [Theory]
    [InlineData("--arch mips", "--arch is x64 or arm64, and not 'mips'")]
    [InlineData("--arch", "--arch is x64 or arm64, and not ''")]
    [InlineData("--output", "--output names the folder")]
    [InlineData("somewhere", "and not 'somewhere'")]
    public async Task A_package_of_a_kind_that_there_is_not_is_refused_at_once(string arguments, string said)
    {
        var result = await Tool.TryRunAsync(Path.Combine(Repository.Root, "millrace"), ["package", .. arguments.Split(' ')]);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(said, result.Errors, StringComparison.Ordinal);
    }

    public void Dispose() => _directory.Dispose();

    private static Task<string> RunAsync(string program, string input, params string[] arguments) =>
        Tool.RunAsync("env", ["-i", program, .. arguments], input);
}
