using System.Diagnostics;
using Millrace.Server.Options;
using Xunit;

namespace Millrace.Tests.Server.Options;

public sealed class KafkaBrokerConfigsTests
{
    [Fact]
    public async Task Every_broker_config_of_Apache_Kafka_is_ours_or_harmless_or_refused()
    {
        var libraries = Repository.Shared("peers/kafka/libs");
        Assert.SkipWhen(libraries is null, "Apache Kafka's libraries are not here");
        Assert.SkipUnless(File.Exists("/usr/bin/javac"), "No Java development kit");
        var names = await NamesAsync(libraries!);

        Assert.True(names.Length > 300, $"{names.Length} names");
        Assert.DoesNotContain(names, name =>
            ServerSettings.Find(name) is null && RefusedSettings.Find(name) is null && !HarmlessSettings.Contains(name) && !LogFolders.Keys.Contains(name));
    }

    private static async Task<string[]> NamesAsync(string libraries)
    {
        var program = Path.Combine(Repository.Root, "tests", "Millrace.Tests", "Server", "Options", "DumpBrokerConfigs.java");
        using var java = Process.Start(new ProcessStartInfo("java", ["-cp", Path.Combine(libraries, "*"), program])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = java.StandardError.ReadToEndAsync();
        var output = await java.StandardOutput.ReadToEndAsync();
        await java.WaitForExitAsync();
        Assert.True(java.ExitCode == 0, await errors);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
