namespace Millrace.Coordination.Groups;

/// <summary>What a group coordinator has to say about a request. The broker maps it to Kafka's codes.</summary>
public enum GroupError
{
    None,

    /// <summary>The group id is empty where it must not be.</summary>
    InvalidGroupId,

    /// <summary>The session timeout lies outside the configured bounds.</summary>
    InvalidSessionTimeout,

    /// <summary>No protocol type, or no protocol, that all members have in common.</summary>
    InconsistentProtocol,

    /// <summary>The member is to join again with the id it was given (KIP-394).</summary>
    MemberIdRequired,

    /// <summary>The group, or the list of those about to join it, is full.</summary>
    GroupFull,

    UnknownMember,

    /// <summary>Another member has taken the instance id (KIP-345).</summary>
    FencedInstance,

    IllegalGeneration,

    /// <summary>The member is to join again.</summary>
    RebalanceInProgress,

    GroupNotFound,

    /// <summary>Only an empty group can be deleted.</summary>
    NonEmptyGroup,

    /// <summary>The metadata of one committed offset is too long.</summary>
    OffsetMetadataTooLarge,

    /// <summary>One commit is more than a batch of the log may hold.</summary>
    CommitTooLarge,

    /// <summary>What a member says of itself is more than a batch of the log may hold.</summary>
    MemberTooLarge,

    /// <summary>The shard is being loaded.</summary>
    CoordinatorLoading,

    /// <summary>Another node has the group's shard.</summary>
    NotCoordinator,

    /// <summary>The coordinator cannot write its log now, or does not exist yet.</summary>
    CoordinatorUnavailable,

    /// <summary>A fault of ours.</summary>
    Failed,
}
