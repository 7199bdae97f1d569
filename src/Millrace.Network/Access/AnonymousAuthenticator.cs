using Millrace.Protocol;

namespace Millrace.Network.Access;

/// <summary>Takes everyone for the anonymous principal, as a PLAINTEXT listener does.</summary>
internal sealed class AnonymousAuthenticator : IAuthenticator
{
    public Principal? Authenticate(ClientConnection client, ApiKey api) => Principal.Anonymous;
}
