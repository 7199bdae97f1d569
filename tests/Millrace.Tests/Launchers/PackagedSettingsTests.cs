using Millrace.ObjectStorage;
using Millrace.Server.Options;
using Millrace.Streams.Wal;
using Xunit;

namespace Millrace.Tests.Launchers;

/// <summary>The configuration that comes with the package for Debian: as it is, and with what stands in it as a comment.</summary>
public sealed class PackagedSettingsTests
{
    private static readonly string Packaged = Path.Combine(Repository.Root, "eng/deb/server.properties");

    /// <summary>Lines that are settings but for the mark of a comment before them.</summary>
    public static TheoryData<string> Suggested =>
        [.. File.ReadLines(Packaged).Where(line => line.StartsWith('#') && line.Length > 1 && line[1] is not ' ').Select(line => line[1..])];

    [Fact]
    public void The_packaged_configuration_is_one_broker_for_this_machine_below_var_lib()
    {
        var options = Read();
        Assert.Equal("file:///var/lib/millrace/store", options.Store);
        Assert.Equal(["file:///var/lib/millrace/wal"], options.Wals);
        Assert.Equal("127.0.0.1", Assert.Single(options.Listeners.Clients).Bind.Host);
        Assert.Empty(options.Settings.Remarks);
    }

    [Theory]
    [MemberData(nameof(Suggested))]
    public void What_the_packaged_configuration_suggests_is_taken(string line)
    {
        var suggested = Assert.Single(PropertiesFile.Parse(line));
        var options = Read(suggested);
        Assert.Equal(suggested.Value, options.Settings.Values[suggested.Key]);
        Assert.Empty(options.Settings.Remarks);
        StorageUri.Parse(options.Store);
        WalUri.ParseAll(options.Wals);
    }

    private static NodeOptions Read(params KeyValuePair<string, string>[] suggested)
    {
        var entries = PropertiesFile.Parse(File.ReadAllText(Packaged));
        return NodeOptions.From(
            NodeSettings.From([.. entries.Where(entry => suggested.All(other => other.Key != entry.Key)), .. suggested]), "elsewhere");
    }
}
