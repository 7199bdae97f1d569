namespace Millrace.Protocol.Messages;

/// <summary>A request's body.</summary>
public interface IRequest<TSelf> : IVersionedMessage<TSelf>
    where TSelf : IRequest<TSelf>
{
    static abstract ApiKey ApiKey { get; }
}
