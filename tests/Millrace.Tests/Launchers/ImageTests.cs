using System.Runtime.Versioning;
using System.Text.Json;
using Millrace.Tests.Clients;
using Xunit;

namespace Millrace.Tests.Launchers;

/// <summary>What <c>./millrace package --image</c> has made, which <c>MILLRACE_TEST_IMAGE</c> names.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class ImageTests : IDisposable
{
    private const long MaxPackedBytes = 80_000_000;
    private const string User = "10001";

    /// <summary>
    /// What a container's runtime does, as far as it matters to the program: a root of its own that nobody can write to, with /proc and /dev; a user of
    /// its own; no more rights than that has.
    /// </summary>
    private const string Enter =
        """
        set -e
        mount --bind "$0" "$0"
        mount -t proc proc "$0/proc"
        mount --rbind /dev "$0/dev"
        mount -o remount,bind,ro "$0"
        exec setpriv --no-new-privs chroot --userspec=10001:10001 --groups= "$0" "$@"
        """;

    private readonly TemporaryDirectory _directory = new();

    [Fact]
    public async Task An_image_says_what_it_runs_as_whom_and_where_it_listens()
    {
        var archive = Archive();
        var (manifest, config) = await ReadAsync(archive);
        var run = config.GetProperty("config");

        Assert.Equal("linux", config.GetProperty("os").GetString());
        Assert.Contains(config.GetProperty("architecture").GetString(), (string[])["amd64", "arm64"]);
        Assert.Equal($"{User}:{User}", run.GetProperty("User").GetString());
        Assert.Equal(["/usr/bin/millrace", "start"], Texts(run.GetProperty("Entrypoint")));
        Assert.Equal(["9092/tcp", "9093/tcp", "9464/tcp"], run.GetProperty("ExposedPorts").EnumerateObject().Select(port => port.Name).Order());
        Assert.Equal("Millrace", run.GetProperty("Labels").GetProperty("org.opencontainers.image.title").GetString());
        Assert.Equal(2, manifest.GetProperty("layers").GetArrayLength());
        Assert.InRange(new FileInfo(archive).Length, 1, MaxPackedBytes);
    }

    [Fact]
    public async Task What_an_image_holds_is_roots_has_no_rights_of_its_own_and_tells_nothing_of_where_it_was_made()
    {
        var lines = new List<string>();
        foreach (var layer in await LayersAsync())
        {
            var listed = await Tool.RunAsync("tar", ["--list", "--verbose", "--numeric-owner", "--gzip", "--file", layer]);
            lines.AddRange(listed.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        }

        Assert.All(lines, line => Assert.Contains(" 0/0 ", line, StringComparison.Ordinal));
        Assert.DoesNotContain(lines, line => line[..10].Contains('s', StringComparison.OrdinalIgnoreCase));
        Assert.Equal("./tmp/", Assert.Single(lines, line => line[8] == 'w' && line[0] != 'l').Split(' ')[^1]);
        string[] paths = [.. lines.Select(line => line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries)[5])];
        Assert.DoesNotContain(paths, path => path.StartsWith("./etc/apt", StringComparison.Ordinal) || path == "./etc/resolv.conf" || path == "./etc/hostname");
        Assert.Contains("./var/lib/dpkg/status.d/libc6", paths);
        Assert.Contains("./etc/ssl/certs/ca-certificates.crt", paths);
        Assert.Contains("./usr/share/doc/millrace/THIRD-PARTY-NOTICES.md", paths);
    }

    [Fact]
    public async Task An_image_unpacked_serves_in_a_root_that_nobody_can_write_to_as_a_user_of_its_own()
    {
        var root = await UnpackAsync();
        var entry = Texts((await ReadAsync(Archive())).Config.GetProperty("config").GetProperty("Entrypoint"));
        await using (var broker = await MillraceProcess.StartByAsync(
            "unshare",
            [
                .. Inside(root), .. entry, "--store", "memory:", "--wal", "object", "--listen", "127.0.0.1:0", "--set", "millrace.http.listener=127.0.0.1:0",
            ]))
        {
            var status = await File.ReadAllTextAsync($"/proc/{broker.ProcessId}/status", TestContext.Current.CancellationToken);
            Assert.Matches($@"Uid:\s+{User}\s+{User}\s+{User}\s+{User}\n", status);
            Assert.Matches(@"CapEff:\s+0+\n", status);
            Assert.Matches(@"NoNewPrivs:\s+1\n", status);

            var server = broker.BootstrapServers;
            await RunAsync(root, "millrace", "topic", "create", "packed", "--partitions", "1", "-b", server);
            await Tool.RunAsync("unshare", [.. Inside(root), "millrace", "produce", "packed", "-b", server], "hello\n");
            Assert.Equal("hello\n", await RunAsync(root, "millrace", "consume", "packed", "--exit", "-b", server));

            // What the chart's hooks run: the last broker is not drained, which ends at once.
            var drain = await Tool.TryRunAsync("unshare", [.. Inside(root), "millrace", "broker", "drain", "--self", "--wait", "-b", server]);
            Assert.True(drain.ExitCode == 2, drain.Errors);
            await RunAsync(root, "sh", "-c", $"timeout 60 sh -c 'until millrace broker undrain --self --timeout 10 -b {server}; do sleep 1; done'");
            Assert.Equal(0, await broker.StopAsync());
        }

        Assert.Equal("millrace", (await RunAsync(root, "sh", "-c", "while IFS=: read -r name rest; do echo $name; done </etc/passwd")).TrimEnd());
    }

    public void Dispose() => _directory.Dispose();

    /// <summary>The archive, or the test is skipped.</summary>
    private static string Archive()
    {
        var image = Environment.GetEnvironmentVariable("MILLRACE_TEST_IMAGE");
        Assert.SkipWhen(image is null, "Making an image takes minutes: MILLRACE_TEST_IMAGE=$(./millrace package --image) ./test Image");
        return image;
    }

    /// <summary>Arguments of <c>unshare</c>, behind which stands what is run in there with the image's environment.</summary>
    private static string[] Inside(string root) =>
        ["--mount", "--propagation", "private", "env", "-i", "PATH=/usr/bin:/bin:/usr/sbin:/sbin", "sh", "-c", Enter, root];

    private static Task<string> RunAsync(string root, params string[] command) => Tool.RunAsync("unshare", [.. Inside(root), .. command]);

    private async Task<string> UnpackAsync()
    {
        var layers = await LayersAsync();
        Assert.SkipUnless(Environment.UserName == "root", "Only root may change its root");
        Assert.SkipUnless(
            (await Tool.TryRunAsync("unshare", ["--mount", "mount", "-t", "tmpfs", "none", "/tmp"])).ExitCode == 0, "Nothing may be mounted on this machine");
        var root = Directory.CreateDirectory(_directory.Sub("root")).FullName;
        foreach (var layer in layers)
        {
            await Tool.RunAsync("tar", ["--extract", "--gzip", "--numeric-owner", "--file", layer, "--directory", root]);
        }

        return root;
    }

    private async Task<IReadOnlyList<string>> LayersAsync()
    {
        var (manifest, _) = await ReadAsync(Archive());
        return [.. manifest.GetProperty("layers").EnumerateArray().Select(BlobOf)];
    }

    /// <summary>The image's manifest and configuration, in the layout that OCI says.</summary>
    private async Task<(JsonElement Manifest, JsonElement Config)> ReadAsync(string archive)
    {
        if (!Directory.Exists(_directory.Sub("layout")))
        {
            Directory.CreateDirectory(_directory.Sub("layout"));
            await Tool.RunAsync("tar", ["--extract", "--file", archive, "--directory", _directory.Sub("layout")]);
        }

        var index = await JsonAsync(_directory.Sub("layout/index.json"));
        var manifest = await JsonAsync(BlobOf(index.GetProperty("manifests").EnumerateArray().Single()));
        return (manifest, await JsonAsync(BlobOf(manifest.GetProperty("config"))));
    }

    private string BlobOf(JsonElement descriptor) =>
        _directory.Sub($"layout/blobs/{descriptor.GetProperty("digest").GetString()!.Replace(':', '/')}");

    private static async Task<JsonElement> JsonAsync(string path) =>
        JsonDocument.Parse(await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken)).RootElement;

    private static string[] Texts(JsonElement list) => [.. list.EnumerateArray().Select(text => text.GetString()!)];
}
