using System.Globalization;
using System.Runtime.Versioning;
using System.Text.RegularExpressions;
using Millrace.Tests.Clients;
using Xunit;

namespace Millrace.Tests.Launchers;

/// <summary>What <c>./millrace package --deb</c> has made, which <c>MILLRACE_TEST_DEB</c> names.</summary>
[UnsupportedOSPlatform("windows")]
public sealed partial class DebPackageTests : IDisposable
{
    private const long MaxPackedBytes = 40_000_000;

    /// <summary>Which of Debian's packages have what the program's files are linked with.</summary>
    private static readonly Dictionary<string, string> Libraries = new()
    {
        ["libc.so.6"] = "libc6",
        ["libm.so.6"] = "libc6",
        ["libdl.so.2"] = "libc6",
        ["libpthread.so.0"] = "libc6",
        ["librt.so.1"] = "libc6",
        ["libresolv.so.2"] = "libc6",
        ["libgcc_s.so.1"] = "libgcc-s1",
        ["libstdc++.so.6"] = "libstdc++6",
        // Of librdkafka, of which there is another one for machines without it.
        ["libsasl2.so.3"] = "libsasl2-2",
        ["libcrypto.so.3"] = "libssl3",
    };

    private readonly TemporaryDirectory _directory = new();

    [Fact]
    public async Task A_deb_has_each_file_where_Debian_wants_it_as_roots_and_with_no_more_rights_than_it_needs()
    {
        var lines = (await Tool.RunAsync("dpkg-deb", ["--contents", Deb()])).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var files = lines.Select(line => Entry().Match(line)).Where(entry => !entry.Groups["path"].Value.EndsWith('/'))
            .ToDictionary(entry => entry.Groups["path"].Value[1..], entry => entry.Groups["mode"].Value);

        Assert.All(lines, line => Assert.Contains(" root/root ", line, StringComparison.Ordinal));
        Assert.Equal("lrwxrwxrwx", files["/usr/bin/millrace -> ../lib/millrace/millrace"]);
        Assert.Equal("-rw-------", files["/etc/millrace/environment"]);
        Assert.Equal(
            ["/usr/lib/millrace/createdump", "/usr/lib/millrace/millrace"],
            files.Where(file => file.Value[0] == '-' && file.Value.Contains('x', StringComparison.Ordinal)).Select(file => file.Key).Order());
        Assert.All(
            (string[])
            [
                "/etc/millrace/server.properties",
                "/usr/lib/systemd/system/millrace.service",
                "/usr/share/bash-completion/completions/millrace",
                "/usr/share/zsh/vendor-completions/_millrace",
                "/usr/share/fish/vendor_completions.d/millrace.fish",
                "/usr/share/doc/millrace/copyright",
                "/usr/share/doc/millrace/README.Debian",
                "/usr/share/doc/millrace/THIRD-PARTY-NOTICES.md",
            ],
            path => Assert.Equal("-rw-r--r--", files[path]));
        Assert.DoesNotContain(files.Keys, path => Path.GetExtension(path) is ".pdb" or ".xml");
        Assert.InRange(new FileInfo(Deb()).Length, 1, MaxPackedBytes);
    }

    [Fact]
    public async Task A_deb_says_what_it_is_how_large_and_which_of_its_files_are_configuration()
    {
        await Tool.RunAsync("dpkg-deb", ["--raw-extract", Deb(), _directory.Sub("all")]);
        var root = _directory.Sub("all");
        var files = Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories)
            .Where(file => !file.StartsWith(root + "/DEBIAN/", StringComparison.Ordinal));
        var kibibytes = files.Sum(file => new FileInfo(file).Length) / 1024;

        Assert.Equal("millrace", await FieldAsync("Package"));
        Assert.Contains(await FieldAsync("Architecture"), (string[])["amd64", "arm64"]);
        Assert.InRange(long.Parse(await FieldAsync("Installed-Size"), CultureInfo.InvariantCulture), kibibytes, kibibytes + 1024);
        Assert.Equal(
            files.Select(file => file[root.Length..]).Where(file => file.StartsWith("/etc/", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
            File.ReadLines(Path.Combine(root, "DEBIAN/conffiles")));
        Assert.All(
            (string[])["postinst", "prerm", "postrm"],
            script => Assert.True(File.GetUnixFileMode(Path.Combine(root, "DEBIAN", script)).HasFlag(UnixFileMode.OtherExecute)));
    }

    [Fact]
    public async Task A_deb_depends_on_each_library_that_its_files_are_linked_with()
    {
        await Tool.RunAsync("dpkg-deb", ["--extract", Deb(), _directory.Sub("all")]);
        var files = Directory.GetFiles(_directory.Sub("all/usr/lib/millrace"));
        var needed = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var file in files.Where(IsLinked))
        {
            var listed = await Tool.TryRunAsync("ldd", [file]);
            needed.UnionWith(Library().Matches(listed.Output).Select(match => match.Groups[1].Value));
        }

        needed.ExceptWith(files.Select(file => Path.GetFileName(file)));
        var known = $"{await FieldAsync("Depends")}, {await FieldAsync("Suggests")}";
        Assert.NotEmpty(needed);
        Assert.All(needed, library => Assert.Matches($@"(^|[ ,|]){Regex.Escape(Libraries[library])}($|[ ,|])", known));
        // .NET loads it by name, so that no file is linked with it.
        Assert.Contains("libssl3t64 | libssl3 | libssl1.1", known, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_completion_that_zsh_loads_is_the_function_alone_under_its_mark()
    {
        await Tool.RunAsync("dpkg-deb", ["--extract", Deb(), _directory.Sub("all")]);
        var lines = await File.ReadAllLinesAsync(_directory.Sub("all/usr/share/zsh/vendor-completions/_millrace"), TestContext.Current.CancellationToken);
        Assert.Equal("#compdef millrace", lines[0]);
        Assert.Equal("_millrace() {", lines.First(line => !line.StartsWith('#')));
        Assert.Equal("}", lines[^1]);
    }

    public void Dispose() => _directory.Dispose();

    /// <summary>The package, or the test is skipped.</summary>
    internal static string Deb()
    {
        var deb = Environment.GetEnvironmentVariable("MILLRACE_TEST_DEB");
        Assert.SkipWhen(deb is null, "Making a package takes minutes: MILLRACE_TEST_DEB=$(./millrace package --deb) ./test Deb");
        return deb;
    }

    private static async Task<string> FieldAsync(string name) => (await Tool.RunAsync("dpkg-deb", ["--field", Deb(), name])).TrimEnd();

    private static bool IsLinked(string file) => file.EndsWith(".so", StringComparison.Ordinal) || Path.GetFileName(file) is "millrace" or "createdump";

    [GeneratedRegex(@"^(?<mode>\S{10}) \S+ +\d+ \S+ \S+ (?<path>.+)$")]
    private static partial Regex Entry();

    [GeneratedRegex(@"^\t(lib\S+) =>", RegexOptions.Multiline)]
    private static partial Regex Library();
}
