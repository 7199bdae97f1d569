using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xunit;

namespace Millrace.Tests.Architecture;

/// <summary>Whoever is given the program is told whose work is in it.</summary>
public sealed partial class ThirdPartyNoticesTests
{
    [Fact]
    public void Every_package_that_the_product_names_has_a_notice() =>
        Assert.Empty(
            XDocument.Load(Path.Combine(Repository.Root, "Directory.Packages.props")).Descendants("ItemGroup")
                .Where(group => (string?)group.Attribute("Label") == "Product").Descendants("PackageVersion")
                .Select(package => (string)package.Attribute("Include")!)
                .Except(Noticed()));

    [Fact]
    public void Every_package_that_the_program_is_published_with_has_a_notice_and_no_other_has() =>
        Assert.Equal(Published().Order(StringComparer.Ordinal), Noticed().Order(StringComparer.Ordinal));

    [Fact]
    public void The_licence_is_Apache_2() =>
        Assert.Contains(
            "Apache License\n                           Version 2.0", File.ReadAllText(Path.Combine(Repository.Root, "LICENSE")), StringComparison.Ordinal);

    private static IReadOnlyList<string> Noticed() =>
        [.. Line().Matches(File.ReadAllText(Path.Combine(Repository.Root, "THIRD-PARTY-NOTICES.md"))).Select(line => line.Groups[1].Value)];

    /// <summary>What the last restore found, down to the packages of packages, as far as a program carries them along.</summary>
    private static IEnumerable<string> Published()
    {
        var assets = JsonNode.Parse(File.ReadAllText(Path.Combine(Repository.Root, "artifacts", "obj", "Millrace.Server", "project.assets.json")))!;
        return assets["targets"]!.AsObject().SelectMany(target => target.Value!.AsObject())
            .Where(library => (string?)library.Value!["type"] == "package")
            .Where(library => new[] { "runtime", "native", "runtimeTargets" }.Any(kind => library.Value![kind] is not null))
            .Select(library => library.Key[..library.Key.IndexOf('/', StringComparison.Ordinal)])
            .Distinct(StringComparer.Ordinal);
    }

    [GeneratedRegex(@"^\| `([^`]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Line();
}
