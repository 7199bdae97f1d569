using Xunit;

namespace Millrace.Tests.Clients;

/// <summary>Clusters by name, from the file that lies where it lies by default.</summary>
[Collection(CommandLineTestGroup.Name)]
public sealed class ProfileTests(SharedBroker broker) : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    [Theory]
    [InlineData("--profile here", "", "127.0.0.1:1")]
    [InlineData("", "here", "")]
    [InlineData("--profile here --timeout 60", "elsewhere", "")]
    public async Task A_command_goes_to_the_cluster_that_a_profile_names(string options, string profile, string bootstrap)
    {
        var directory = Directory.CreateDirectory(Path.Combine(_folder.Path, "millrace"));
        await File.WriteAllTextAsync(
            Path.Combine(directory.FullName, "profiles.ini"),
            $"[here]\nbootstrap.servers = {broker.BootstrapServers}\n[elsewhere]\nbootstrap.servers = 127.0.0.1:1\n",
            TestContext.Current.CancellationToken);

        var result = await RunAsync($"cluster describe {options}", profile, bootstrap);

        Assert.True(result.ExitCode == 0, result.Errors);
        Assert.Contains(broker.BootstrapServers.Split(':')[1], result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_file_a_profile_is_refused_with_where_it_belongs()
    {
        var result = await RunAsync("cluster describe --profile here", "", "");

        Assert.Equal(2, result.ExitCode);
        Assert.Contains(Path.Combine(_folder.Path, "millrace", "profiles.ini"), result.Errors, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private Task<ToolResult> RunAsync(string command, string profile, string bootstrap) => Tool.TryRunAsync(
        MillraceProcess.Program,
        command.Split(' ', StringSplitOptions.RemoveEmptyEntries),
        environment: [("XDG_CONFIG_HOME", _folder.Path), ("MILLRACE_PROFILE", profile), ("MILLRACE_BOOTSTRAP", bootstrap)]);
}
