namespace Millrace.Network.Access;

/// <summary>Says what a principal may do. The one place where a request is allowed or refused.</summary>
/// <remarks>Threading: any thread; must neither block nor throw: it answers from what it holds.</remarks>
internal interface IAuthorizer
{
    /// <summary>Whether a principal may do everything (one of Kafka's <c>super.users</c>): of single resources is not asked then.</summary>
    bool IsUnrestricted(Principal principal);

    /// <param name="principal">Who wants to do it.</param>
    /// <param name="client">From where.</param>
    /// <param name="operation">What.</param>
    /// <param name="kind">To what kind of resource.</param>
    /// <param name="name">To which one.</param>
    bool Allows(Principal principal, ClientConnection client, Operation operation, ResourceKind kind, string name);
}
