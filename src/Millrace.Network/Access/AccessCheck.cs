using Millrace.Protocol;

namespace Millrace.Network.Access;

/// <summary>What the sender of one request may do, in Kafka's words for who may not.</summary>
/// <remarks>A structure, since there is one for every request.</remarks>
internal readonly struct AccessCheck(IAuthorizer authorizer, Principal principal, ClientConnection client)
{
    /// <summary>What Kafka calls the cluster as a resource.</summary>
    public const string ClusterName = "kafka-cluster";

    public ClientConnection Client => client;

    /// <summary>Everything is allowed to the sender: nothing needs to be asked.</summary>
    public bool IsUnrestricted => authorizer.IsUnrestricted(principal);

    public bool Allows(Operation operation, ResourceKind kind, string name) =>
        IsUnrestricted || authorizer.Allows(principal, client, operation, kind, name);

    /// <summary>Whether a topic may be created: where any may, or this one.</summary>
    public bool MayCreate(string topic) =>
        Allows(Operation.Create, ResourceKind.Cluster, ClusterName) || Allows(Operation.Create, ResourceKind.Topic, topic);

    public ErrorCode Topic(Operation operation, string name) =>
        Allows(operation, ResourceKind.Topic, name) ? ErrorCode.None : ErrorCode.TopicAuthorizationFailed;

    public ErrorCode Topics(Operation operation, IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            if (!Allows(operation, ResourceKind.Topic, name))
            {
                return ErrorCode.TopicAuthorizationFailed;
            }
        }

        return ErrorCode.None;
    }

    public ErrorCode Group(Operation operation, string name) =>
        Allows(operation, ResourceKind.Group, name) ? ErrorCode.None : ErrorCode.GroupAuthorizationFailed;

    public ErrorCode Groups(Operation operation, IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            if (!Allows(operation, ResourceKind.Group, name))
            {
                return ErrorCode.GroupAuthorizationFailed;
            }
        }

        return ErrorCode.None;
    }

    public ErrorCode Cluster(Operation operation) =>
        Allows(operation, ResourceKind.Cluster, ClusterName) ? ErrorCode.None : ErrorCode.ClusterAuthorizationFailed;

    public ErrorCode TransactionalId(Operation operation, string name) =>
        Allows(operation, ResourceKind.TransactionalId, name) ? ErrorCode.None : ErrorCode.TransactionalIdAuthorizationFailed;
}
