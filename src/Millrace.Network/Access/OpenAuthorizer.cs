namespace Millrace.Network.Access;

/// <summary>Allows everything to everyone, as Kafka does where no authorizer is set.</summary>
internal sealed class OpenAuthorizer : IAuthorizer
{
    public bool IsUnrestricted(Principal principal) => true;

    public bool Allows(Principal principal, ClientConnection client, Operation operation, ResourceKind kind, string name) => true;
}
