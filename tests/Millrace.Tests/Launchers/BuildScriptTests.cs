using System.Runtime.Versioning;
using Millrace.Tests.Clients;
using Xunit;

namespace Millrace.Tests.Launchers;

[UnsupportedOSPlatform("windows")]
public sealed class BuildScriptTests : IDisposable
{
    private const string Build = "build tests/P/P.csproj";
    private const string Publish = "publish src/P/P.csproj";

    private readonly TemporaryDirectory _repository = new();

    public BuildScriptTests()
    {
        foreach (var file in (string[])
            [
                "src/P/P.cs", "src/P/README.md", "tests/P/P.cs", "benchmarks/P/P.cs",
                "Directory.Build.props", "Directory.Packages.props", "global.json", ".editorconfig", "BannedSymbols.txt",
            ])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_repository.Sub(file))!);
            File.WriteAllText(_repository.Sub(file), "");
            File.SetLastWriteTimeUtc(_repository.Sub(file), DateTime.UnixEpoch);
        }

        Directory.CreateDirectory(_repository.Sub("eng"));
        File.Copy(Path.Combine(Repository.Root, "eng/build.sh"), _repository.Sub("eng/build.sh"));

        // A compiler that writes nothing but that it was called.
        File.WriteAllText(_repository.Sub("dotnet"), "#!/bin/sh\ntouch called built\n");
        File.SetUnixFileMode(_repository.Sub("dotnet"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    public void Dispose() => _repository.Dispose();

    [Theory]
    [InlineData(Publish, "src/P/P.cs", true)]
    [InlineData(Publish, "Directory.Packages.props", true)]
    [InlineData(Publish, "tests/P/P.cs", false)]
    [InlineData(Publish, "benchmarks/P/P.cs", false)]
    [InlineData(Publish, "src/P/README.md", false)]
    [InlineData(Build, "src/P/P.cs", true)]
    [InlineData(Build, "tests/P/P.cs", true)]
    public async Task A_launcher_builds_what_it_runs_when_that_has_changed(string command, string changed, bool builds)
    {
        Assert.True(await BuildsAsync(command));
        Assert.False(await BuildsAsync(command));

        File.SetLastWriteTimeUtc(_repository.Sub(changed), DateTime.UtcNow.AddHours(1));
        Assert.Equal(builds, await BuildsAsync(command));
    }

    [Fact]
    public async Task A_launcher_builds_again_when_a_source_has_gone()
    {
        Assert.True(await BuildsAsync(Publish));
        File.Delete(_repository.Sub("src/P/P.cs"));
        Assert.True(await BuildsAsync(Publish));
        Assert.False(await BuildsAsync(Publish));
    }

    [Fact]
    public async Task A_launcher_says_in_one_line_that_it_builds_and_nothing_when_it_does_not()
    {
        var first = await Tool.TryRunAsync("bash", ["-c", Script(Publish)]);
        var second = await Tool.TryRunAsync("bash", ["-c", Script(Publish)]);

        Assert.Equal("Building P (the first time takes a minute or two) …\n", first.Errors);
        Assert.Equal(("", ""), (first.Output, second.Errors));
    }

    private string Script(string command) => $"set -euo pipefail; cd '{_repository.Path}'; PATH=$PWD:$PATH; . eng/build.sh; {command} built";

    /// <summary>Runs a function of the script.</summary>
    private async Task<bool> BuildsAsync(string command)
    {
        var called = _repository.Sub("called");
        File.Delete(called);
        await Tool.RunAsync("bash", ["-c", Script(command)]);
        return File.Exists(called);
    }
}
