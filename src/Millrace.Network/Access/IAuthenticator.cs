using Millrace.Protocol;

namespace Millrace.Network.Access;

/// <summary>Says who sends a request. Asked for every request, before its body is looked at.</summary>
/// <remarks>Threading: any thread; must neither block nor throw.</remarks>
internal interface IAuthenticator
{
    /// <summary>The principal behind a request; null if the connection has to authenticate first: it is closed, as by Kafka.</summary>
    Principal? Authenticate(ClientConnection client, ApiKey api);
}
