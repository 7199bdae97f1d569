using Millrace.Tests.Clients;
using Xunit;

namespace Millrace.Tests.Launchers;

/// <summary>The scripts in <c>docs/examples</c> work as they are, and leave nothing behind.</summary>
[Collection("Examples")]
public sealed class ExamplesTests(ITestOutputHelper output)
{
    private static readonly string Folder = Path.Combine(Repository.Root, "docs", "examples");

    // Waiting, most of it.
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);

    public static TheoryData<string> Scripts => [.. Directory.GetFiles(Folder, "?-*.sh").Select(path => Path.GetFileName(path))];

    [Theory, MemberData(nameof(Scripts))]
    public async Task An_example_shows_what_it_says_and_leaves_nothing(string script)
    {
        using var directory = new TemporaryDirectory();

        var run = await Tool.TryRunAsync(
            Path.Combine(Folder, script), [], limit: Limit,
            environment: [("MILLRACE", MillraceProcess.Program), ("TMPDIR", directory.Path), ("RECORDS", "50000")]);

        output.WriteLine(run.Output);
        Assert.True(run.ExitCode == 0, $"{run.Output}\n{run.Errors}");
        Assert.Equal("", run.Errors);
        Assert.Contains(" s  ", run.Output, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(directory.Path));
        var list = await File.ReadAllTextAsync(Path.Combine(Folder, "README.md"), TestContext.Current.CancellationToken);
        Assert.Contains($"`{script}`", list, StringComparison.Ordinal);
    }
}
