using System.Runtime.Versioning;
using Millrace.Tests.Clients;
using Xunit;

namespace Millrace.Tests.Launchers;

/// <summary>
/// A package for Debian on this machine: installed, its broker run as its unit says, removed and purged. Asked for by
/// <c>MILLRACE_TEST_DEB_INSTALL=1</c> beside <c>MILLRACE_TEST_DEB</c>, by root, where no package of the name is installed.
/// </summary>
[UnsupportedOSPlatform("windows")]
public sealed class DebInstallTests
{
    private const string Program = "/usr/bin/millrace";
    private const string Unit = "/usr/lib/systemd/system/millrace.service";
    private const string State = "/var/lib/millrace";
    private const string User = "millrace";

    // What dpkg and others keep of their own: their books, and copies of /etc/passwd and its like.
    private static readonly string[] OwnBooks = ["/var/lib/dpkg", "/var/log", "/var/cache", "/var/tmp", "/var/lib/systemd"];

    [Fact]
    public async Task What_was_installed_serves_as_the_units_user_and_nothing_of_it_is_left_by_a_purge_but_its_data()
    {
        var deb = await RequireFreeMachineAsync();
        var before = await FilesAsync();
        try
        {
            await Tool.RunAsync("dpkg", ["--install", deb]);
            Assert.Equal($"{User}:{User} 750\n", await Tool.RunAsync("stat", ["--format", "%U:%G %a", State]));
            Assert.Equal("root:root 600\n", await Tool.RunAsync("stat", ["--format", "%U:%G %a", "/etc/millrace/environment"]));

            await using (var broker = await StartAsUnitAsync())
            {
                Assert.Equal(
                    $"{User} {User}", await Words("ps", "--format", "user=,group=", "--pid", $"{broker.ProcessId}"));
                await RunAsync("topic", "create", "packed", "--partitions", "1", "-b", broker.BootstrapServers);
                await Tool.RunAsync(Program, ["produce", "packed", "-b", broker.BootstrapServers], "hello\n");
                var consumed = await RunAsync("consume", "packed", "--exit", "--json", "-b", broker.BootstrapServers);
                Assert.Contains("\"value\":\"hello\"", consumed, StringComparison.Ordinal);
                Assert.Equal(0, await broker.StopAsync());
            }

            Assert.Equal("", await Tool.RunAsync("find", [State, "-not", "-user", User]));

            await Tool.RunAsync("dpkg", ["--remove", "millrace"]);
            Assert.False(Path.Exists("/usr/lib/millrace"));
            Assert.False(Path.Exists(Program));
            Assert.False(Path.Exists(Unit));
            Assert.True(File.Exists("/etc/millrace/server.properties"));

            var purge = await Tool.TryRunAsync("dpkg", ["--purge", "millrace"]);
            Assert.Equal(0, purge.ExitCode);
            Assert.Contains($"{State} holds data, and stays", purge.Errors, StringComparison.Ordinal);
            var left = (await FilesAsync()).Except(before).ToList();
            Assert.NotEmpty(left);
            Assert.All(left, path => Assert.StartsWith(State, path, StringComparison.Ordinal));
            Assert.True(await IsKnownAsync("passwd"));
        }
        finally
        {
            await CleanAsync();
        }

        Assert.Empty((await FilesAsync()).Except(before));
    }

    [Fact]
    public async Task A_purge_of_what_never_ran_leaves_nothing_and_no_user()
    {
        var deb = await RequireFreeMachineAsync();
        var before = await FilesAsync();
        try
        {
            await Tool.RunAsync("dpkg", ["--install", deb]);
            // As an upgrade does, over what is there.
            await File.AppendAllTextAsync("/etc/millrace/server.properties", "num.partitions=5\n", TestContext.Current.CancellationToken);
            await Tool.RunAsync("dpkg", ["--install", deb]);
            Assert.EndsWith(
                "num.partitions=5\n",
                await File.ReadAllTextAsync("/etc/millrace/server.properties", TestContext.Current.CancellationToken),
                StringComparison.Ordinal);

            await Tool.RunAsync("dpkg", ["--purge", "millrace"]);
            Assert.Empty((await FilesAsync()).Except(before));
            Assert.False(await IsKnownAsync("passwd"));
            Assert.False(await IsKnownAsync("group"));
        }
        finally
        {
            await CleanAsync();
        }
    }

    /// <summary>Starts what the unit starts, by its user and without rights or variables of this one, on a port that is free.</summary>
    private static Task<MillraceProcess> StartAsUnitAsync()
    {
        var unit = new ServiceUnit(Unit);
        return MillraceProcess.StartByAsync(
            "setpriv",
            [
                $"--reuid={unit["User"]}", $"--regid={unit["Group"]}", "--init-groups", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all",
                "env", "-i", $"--chdir={unit["WorkingDirectory"]}", $"HOME={State}", .. unit.Command, "--listen", "127.0.0.1:0",
            ]);
    }

    private static async Task<string> RequireFreeMachineAsync()
    {
        var deb = DebPackageTests.Deb();
        Assert.SkipUnless(
            Environment.GetEnvironmentVariable("MILLRACE_TEST_DEB_INSTALL") == "1",
            "It changes this machine: MILLRACE_TEST_DEB_INSTALL=1 MILLRACE_TEST_DEB=$(./millrace package --deb) ./test Deb");
        Assert.SkipUnless(Environment.UserName == "root", "Only root installs packages");
        Assert.SkipUnless(Tool.IsInstalled("setpriv"), "setpriv is not installed");
        var known = await Tool.TryRunAsync("dpkg-query", ["--status", "millrace"]);
        Assert.SkipWhen(known.ExitCode == 0 || Path.Exists(State) || await IsKnownAsync("passwd"), "Millrace is installed on this machine");
        return deb;
    }

    /// <summary>Whatever a test has left: it found the machine without.</summary>
    private static async Task CleanAsync()
    {
        await Tool.TryRunAsync("dpkg", ["--purge", "millrace"]);
        if (Path.Exists(State))
        {
            Directory.Delete(State, recursive: true);
        }

        await Tool.TryRunAsync("userdel", [User]);
    }

    private static async Task<IReadOnlySet<string>> FilesAsync()
    {
        string[] passedOver = [.. OwnBooks.SelectMany(books => (string[])["-path", books, "-prune", "-o"])];
        var found = await Tool.RunAsync("find", ["/etc", "/usr", "/opt", "/srv", "/var", .. passedOver, "-not", "-path", "/etc/*-", "-print"]);
        return found.Split('\n', StringSplitOptions.RemoveEmptyEntries).ToHashSet();
    }

    private static async Task<bool> IsKnownAsync(string database) => (await Tool.TryRunAsync("getent", [database, User])).ExitCode == 0;

    private static Task<string> RunAsync(params string[] arguments) => Tool.RunAsync(Program, arguments);

    private static async Task<string> Words(string program, params string[] arguments) =>
        string.Join(' ', (await Tool.RunAsync(program, arguments)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
