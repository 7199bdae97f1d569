using System.Xml.Linq;
using Xunit;

namespace Millrace.Tests.Architecture;

/// <summary>The arrows between projects, as docs/architecture.md draws them. A new arrow needs a decision record first.</summary>
public sealed class LayeringTests
{
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["Millrace.Runtime"] = [],
        ["Millrace.Protocol.Generator"] = [],
        ["Millrace.Protocol"] = ["Millrace.Protocol.Generator", "Millrace.Runtime"],
        ["Millrace.ObjectStorage"] = ["Millrace.Runtime"],
        ["Millrace.Streams"] = ["Millrace.ObjectStorage"],
        ["Millrace.Metadata"] = ["Millrace.Protocol", "Millrace.Protocol.Generator"],
        ["Millrace.Network"] = ["Millrace.Metadata"],
        ["Millrace.Coordination"] = ["Millrace.Metadata"],
        ["Millrace.Controller"] = ["Millrace.Metadata", "Millrace.Streams"],
        ["Millrace.Broker"] = ["Millrace.Coordination", "Millrace.Network", "Millrace.Streams"],
        ["Millrace.Cluster"] = ["Millrace.Controller", "Millrace.Network", "Millrace.Protocol.Generator"],
        ["Millrace.Server"] = ["Millrace.Broker", "Millrace.Cluster", "Millrace.Controller"],
    };

    [Fact]
    public void Projects_refer_to_each_other_only_along_the_drawn_arrows()
    {
        var found = Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.csproj", SearchOption.AllDirectories)
            .ToDictionary(path => Path.GetFileNameWithoutExtension(path), References);

        Assert.Equal(Arrows.Keys.Order(), found.Keys.Order());
        foreach (var (project, references) in found)
        {
            Assert.Equal(Arrows[project].Order(), references.Order());
        }
    }

    private static string[] References(string project) =>
        [.. XDocument.Load(project).Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value))];
}
