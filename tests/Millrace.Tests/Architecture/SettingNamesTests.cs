using Millrace.Server.Options;
using Xunit;

namespace Millrace.Tests.Architecture;

/// <summary>A setting that stands raw in the code is missed by whoever looks for its uses, and wrong without a word where it is mistyped.</summary>
public sealed class SettingNamesTests
{
    private static readonly string[] Tables = ["BrokerConfigs.cs", "TopicConfigs.cs", $"{nameof(ServerSettings)}.cs", $"{nameof(RefusedSettings)}.cs"];

    [Fact]
    public void The_name_of_a_setting_is_written_in_the_tables_alone()
    {
        var names = ServerSettings.AllKeys.Where(name => name.Contains('.')).Select(name => $"\"{name}\"").ToList();
        var sources = Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories).ToList();

        Assert.NotEmpty(sources);
        Assert.All(sources.Where(path => !Tables.Contains(Path.GetFileName(path))), path =>
        {
            var text = File.ReadAllText(path);
            Assert.All(names, name => Assert.False(text.Contains(name, StringComparison.Ordinal), $"{path}: {name}"));
        });
    }
}
