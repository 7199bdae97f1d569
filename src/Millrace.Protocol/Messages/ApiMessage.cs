using Millrace.Protocol.Primitives;

namespace Millrace.Protocol.Messages;

/// <summary>What is known of an API without its messages.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Versions">The versions that have a schema.</param>
/// <param name="FirstFlexible">The first version with compact lengths and tagged fields, or null.</param>
/// <param name="Listeners">Who serves it in Kafka.</param>
/// <param name="LatestUnstable">The highest version is not to be offered to clients.</param>
public sealed record ApiMessage(ApiKey Key, VersionRange Versions, short? FirstFlexible, ApiListeners Listeners, bool LatestUnstable)
{
    /// <summary>The versions that a broker may advertise.</summary>
    public VersionRange StableVersions => LatestUnstable ? Versions with { Max = (short)(Versions.Max - 1) } : Versions;

    public bool IsFlexible(short version) => FirstFlexible is { } first && version >= first;

    /// <summary>The version of the header before a request; answers for versions beyond the known ones, too.</summary>
    public short RequestHeaderVersion(short version) => IsFlexible(version) ? (short)2 : (short)1;

    /// <summary>
    /// The version of the header before a response. A client that asks for versions does not know yet whether the
    /// broker speaks the flexible encoding, so ApiVersions is always answered behind the oldest header.
    /// </summary>
    public short ResponseHeaderVersion(short version) => Key != ApiKey.ApiVersions && IsFlexible(version) ? (short)1 : (short)0;
}
