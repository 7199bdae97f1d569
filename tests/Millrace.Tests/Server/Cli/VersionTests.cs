using System.CommandLine;
using Millrace.Server;
using Xunit;

namespace Millrace.Tests.Server.Cli;

public sealed class VersionTests
{
    [Fact]
    public void The_version_says_the_number_the_commit_if_there_is_one_and_the_runtime()
    {
        using var output = new StringWriter();
        Assert.Equal(0, MillraceCommand.Parse(["--version"]).Invoke(new InvocationConfiguration { Output = output }));
        Assert.Matches(@"^Millrace \d+\.\d+\.\d+( \(commit [0-9a-f]{12}\))? on \.NET \d+\.\d+\.\d+\S*, linux-\S+\n$", output.ToString());
    }
}
