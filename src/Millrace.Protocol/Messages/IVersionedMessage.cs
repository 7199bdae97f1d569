using Millrace.Protocol.Primitives;

namespace Millrace.Protocol.Messages;

/// <summary>A whole message: knows its versions.</summary>
public interface IVersionedMessage<TSelf> : IMessageStruct<TSelf>
    where TSelf : IVersionedMessage<TSelf>
{
    /// <summary>The versions that have a schema; reading and writing refuse others.</summary>
    static abstract VersionRange Versions { get; }

    /// <summary>The version has compact lengths and tagged fields.</summary>
    static abstract bool IsFlexible(short version);
}
