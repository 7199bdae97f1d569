using Xunit;

namespace Millrace.Tests.Protocol;

/// <summary>
/// Texts that must stay as they are, in files beside the tests. Set <c>MILLRACE_UPDATE_GOLDEN=1</c> to write them anew,
/// and read the difference before committing it.
/// </summary>
internal static class Golden
{
    public static string PathOf(params string[] path) => Path.Combine([Repository.Root, "tests", "Millrace.Tests", "Protocol", .. path]);

    public static void Check(string path, string actual)
    {
        if (Environment.GetEnvironmentVariable("MILLRACE_UPDATE_GOLDEN") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, actual);
        }

        Assert.True(File.Exists(path), $"{path} is missing");
        Assert.Equal(File.ReadAllText(path), actual, ignoreLineEndingDifferences: true);
    }
}
