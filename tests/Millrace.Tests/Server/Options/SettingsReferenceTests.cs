using Millrace.Metadata.Configs;
using Millrace.Server.Options;
using Xunit;

namespace Millrace.Tests.Server.Options;

public sealed class SettingsReferenceTests
{
    [Fact]
    public async Task The_page_of_settings_is_what_the_program_prints()
    {
        var page = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "settings.md"), TestContext.Current.CancellationToken);

        Assert.True(
            page == SettingsReference.ToMarkdown(), "docs/settings.md is not what the program has: ./millrace config reference --markdown > docs/settings.md");
    }

    [Fact]
    public void Every_setting_says_what_it_does() => Assert.All(
        [.. SettingsReference.OfBrokers, .. TopicConfigs.All],
        setting => Assert.True(setting.Documentation.Length > 10 && setting.Documentation.EndsWith('.'), setting.Name));

    [Theory]
    [InlineData("millrace.upload.interval.ms", "ms")]
    [InlineData("socket.request.max.bytes", "bytes")]
    [InlineData("log.retention.hours", "hours")]
    [InlineData("num.partitions", null)]
    public void A_number_has_the_unit_that_its_name_ends_in(string name, string? unit) =>
        Assert.Equal(unit, SettingUnit.Of(ServerSettings.Find(name)!));
}
