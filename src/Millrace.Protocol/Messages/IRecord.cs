namespace Millrace.Protocol.Messages;

/// <summary>A record of a log of ours, whose kind is named by a number.</summary>
public interface IRecord : IMessage
{
    short Id { get; }

    /// <summary>The version that a writer chooses unless a feature level holds it back.</summary>
    short HighestVersion { get; }
}
