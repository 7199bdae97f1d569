using Millrace.Metadata.Image;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Scenarios.Members;

/// <summary>What members were told was done, and whether the images agree with it and with one another.</summary>
internal sealed class MemberOracle(SimulationKernel kernel)
{
    private readonly SortedDictionary<MetadataVersion, string> _images = [];
    private readonly SortedDictionary<string, Guid> _topics = new(StringComparer.Ordinal);

    /// <summary>A member holds an image: whoever else ever holds one of that version holds the same.</summary>
    public void Seen(MetadataImage image)
    {
        var text = Print(image);
        if (!_images.TryAdd(image.Version, text) && _images[image.Version] != text)
        {
            kernel.Fail(new ViolationException($"Two members differ at version {image.Version}: {_images[image.Version]} and {text}"));
        }
    }

    /// <summary>A member was told that a topic was made.</summary>
    public void Created(string name, Guid id, MetadataImage image)
    {
        kernel.Coverage.Count(CoverageNames.Acknowledged);
        _topics.Add(name, id);
        Expect(image, name, id);
    }

    /// <summary>All trouble is over: a member's image has all that anybody was ever told.</summary>
    public void Audit(MetadataImage image)
    {
        foreach (var (name, id) in _topics)
        {
            Expect(image, name, id);
        }
    }

    private void Expect(MetadataImage image, string name, Guid id)
    {
        if (!image.TryGetTopic(name, out var topic) || topic.Id != id)
        {
            kernel.Fail(new ViolationException($"Topic {name} was made, and the image at {image.Version} lacks it"));
        }
    }

    private static string Print(MetadataImage image) =>
        $"{image.ClusterUuid} {string.Join(',', image.Topics.Values.Select(topic => $"{topic.Name}:{topic.Id}"))} "
        + string.Join(',', image.Nodes.Values.Select(node => $"{node.Id}:{node.Epoch}:{node.State}"));
}
