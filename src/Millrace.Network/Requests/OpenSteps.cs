using Millrace.Network.Access;
using Millrace.Protocol;

namespace Millrace.Network.Requests;

/// <summary>Lets every request pass, as Kafka does on a PLAINTEXT listener where neither an authorizer nor a quota is set.</summary>
internal sealed class OpenSteps : IAuthenticator, IAuthorizer, IThrottle
{
    public Principal? Authenticate(ClientConnection client, ApiKey api) => Principal.Anonymous;

    public bool IsUnrestricted(Principal principal) => true;

    public bool Allows(Principal principal, ClientConnection client, Operation operation, ResourceKind kind, string name) => true;

    public TimeSpan Charge(RequestCall call) => TimeSpan.Zero;
}
