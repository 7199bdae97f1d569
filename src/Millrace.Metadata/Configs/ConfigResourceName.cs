using System.Globalization;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;

namespace Millrace.Metadata.Configs;

/// <summary>How requests name the brokers that configs belong to.</summary>
public static class ConfigResourceName
{
    /// <summary>The key of a broker's configs: its number, or <see cref="MetadataImage.AllBrokers"/> for an empty name. Null if it is neither.</summary>
    public static NodeId? ToBroker(string name) =>
        name.Length == 0 ? MetadataImage.AllBrokers
        : int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? new NodeId(id)
        : null;
}
