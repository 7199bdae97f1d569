using Millrace.Server.Cli;
using Xunit;

namespace Millrace.Tests.Server.Cli;

public sealed class ClientTargetTests : IDisposable
{
    private const string Profiles = """
        # Two clusters.
        [production]
        bootstrap.servers = kafka-1:9092,kafka-2:9092
        security.protocol = ssl
        client.id = "a name: with colon"

        [bare]
        client.id = x
        """;

    private readonly TemporaryDirectory _folder = new();

    private string Path => System.IO.Path.Combine(_folder.Path, "profiles.ini");

    [Theory]
    [InlineData(null, null, null, null, "127.0.0.1:9092")]
    [InlineData("option:1", "production", "variable:1", null, "option:1")]
    [InlineData(null, "production", "variable:1", null, "kafka-1:9092,kafka-2:9092")]
    [InlineData(null, null, "variable:1", "production", "variable:1")]
    [InlineData(null, null, null, "production", "kafka-1:9092,kafka-2:9092")]
    [InlineData(null, null, "", "", "127.0.0.1:9092")]
    [InlineData(null, "bare", "variable:1", "production", "variable:1")]
    [InlineData(null, "bare", null, null, "127.0.0.1:9092")]
    public void An_option_is_nearer_than_the_environment_and_an_address_than_a_profile(
        string? option, string? profile, string? addressVariable, string? profileVariable, string expected)
    {
        var target = Choose(option, profile, addressVariable, profileVariable);

        Assert.Equal(expected, target.Address);
    }

    [Fact]
    public void A_profile_brings_its_properties_whatever_the_address_is()
    {
        var target = Choose("option:1", null, null, "production");

        Assert.Equal("ssl", target.Properties["security.protocol"]);
        Assert.Equal("a name: with colon", target.Properties["client.id"]);
        Assert.DoesNotContain("bootstrap.servers", target.Properties.Keys);
    }

    [Fact]
    public void A_profile_that_is_not_there_is_refused_with_the_nearest() =>
        Assert.Equal($"There is no profile 'prodcution' in {Path}. Did you mean 'production'?", Refusal(Profiles, "prodcution"));

    [Theory]
    [InlineData("bootstrap.servers = a:1", "stands outside of a section")]
    [InlineData("[a]\nno value", "no value")]
    public void A_file_that_is_no_file_of_profiles_is_refused_by_its_name(string text, string said)
    {
        var refusal = Refusal(text, "a");

        Assert.Contains(Path, refusal, StringComparison.Ordinal);
        Assert.Contains(said, refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_file_the_refusal_says_where_it_belongs_and_what_it_takes()
    {
        var refusal = Assert.Throws<CommandFailedException>(() => ProfileFile.Read(Path));

        Assert.Equal(ExitCode.Usage, refusal.ExitCode);
        Assert.Contains($"{Path} is not there", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("bootstrap.servers = HOST:PORT", refusal.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private string Refusal(string text, string profile)
    {
        File.WriteAllText(Path, text);
        var refusal = Assert.Throws<CommandFailedException>(() => ProfileFile.Read(Path).Find(profile));
        Assert.Equal(ExitCode.Usage, refusal.ExitCode);
        return refusal.Message;
    }

    private ClientTarget Choose(string? option, string? profile, string? addressVariable, string? profileVariable)
    {
        File.WriteAllText(Path, Profiles);
        return ClientTarget.Choose(
            option,
            profile,
            variable => variable switch { "MILLRACE_BOOTSTRAP" => addressVariable, "MILLRACE_PROFILE" => profileVariable, _ => null },
            () => ProfileFile.Read(Path));
    }
}
