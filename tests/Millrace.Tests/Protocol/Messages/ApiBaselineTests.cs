using System.Globalization;
using System.Text;
using Millrace.Protocol;
using Millrace.Protocol.Primitives;
using Xunit;

namespace Millrace.Tests.Protocol.Messages;

public sealed class ApiBaselineTests
{
    [Fact]
    public void Keys_versions_and_encodings_of_all_apis_stay_what_they_are()
    {
        var table = new StringBuilder("key name versions flexible listeners\n");
        foreach (var api in ApiMessages.All)
        {
            var flexible = api.FirstFlexible is { } first ? $"{first}+" : "none";
            table.Append(
                CultureInfo.InvariantCulture,
                $"{(short)api.Key} {api.Key} {api.Versions} {flexible} {api.Listeners}{(api.LatestUnstable ? " latest-unstable" : "")}\n");
        }

        Golden.Check(Golden.PathOf("Messages", "apis.txt"), table.ToString());
    }

    [Fact]
    public void The_unstable_version_of_InitProducerId_is_not_advertised()
    {
        Assert.Equal(new VersionRange(0, 5), ApiMessages.Find(ApiKey.InitProducerId)!.StableVersions);
        Assert.Equal(new VersionRange(3, 13), ApiMessages.Find(ApiKey.Produce)!.StableVersions);
    }

    [Fact]
    public void Error_codes_are_Kafkas()
    {
        var path = Repository.Shared("kafka/errors.tsv");
        Assert.SkipWhen(path is null, "The table of Kafka's errors is not here");
        var expected = File.ReadLines(path!).Skip(1).Select(line => line.Split('\t'))
            .Select(row => $"{row[0]} {row[1].Replace("_", "", StringComparison.Ordinal).ToUpperInvariant()}");
        Assert.Equal(expected, Enum.GetValues<ErrorCode>().OrderBy(code => (short)code).Select(code => $"{(short)code} {code.ToString().ToUpperInvariant()}"));
    }
}
