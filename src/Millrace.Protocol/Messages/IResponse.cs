namespace Millrace.Protocol.Messages;

/// <summary>A response's body.</summary>
public interface IResponse<TSelf> : IVersionedMessage<TSelf>
    where TSelf : IResponse<TSelf>
{
    static abstract ApiKey ApiKey { get; }
}
