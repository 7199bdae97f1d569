using Millrace.Coordination.Groups;
using Millrace.Protocol;

namespace Millrace.Broker.Errors;

/// <content>Groups.</content>
internal static partial class KafkaErrorMap
{
    public static ErrorCode ToErrorCode(GroupError error) => error switch
    {
        GroupError.None => ErrorCode.None,
        GroupError.InvalidGroupId => ErrorCode.InvalidGroupId,
        GroupError.InvalidSessionTimeout => ErrorCode.InvalidSessionTimeout,
        GroupError.InconsistentProtocol => ErrorCode.InconsistentGroupProtocol,
        GroupError.MemberIdRequired => ErrorCode.MemberIdRequired,
        GroupError.GroupFull => ErrorCode.GroupMaxSizeReached,
        GroupError.UnknownMember => ErrorCode.UnknownMemberId,
        GroupError.FencedInstance => ErrorCode.FencedInstanceId,
        GroupError.IllegalGeneration => ErrorCode.IllegalGeneration,
        GroupError.RebalanceInProgress => ErrorCode.RebalanceInProgress,
        GroupError.GroupNotFound => ErrorCode.GroupIdNotFound,
        GroupError.NonEmptyGroup => ErrorCode.NonEmptyGroup,
        GroupError.OffsetMetadataTooLarge => ErrorCode.OffsetMetadataTooLarge,
        GroupError.CommitTooLarge => ErrorCode.InvalidCommitOffsetSize,
        GroupError.MemberTooLarge => ErrorCode.MessageTooLarge,
        GroupError.CoordinatorLoading => ErrorCode.CoordinatorLoadInProgress,
        GroupError.NotCoordinator => ErrorCode.NotCoordinator,
        GroupError.CoordinatorUnavailable => ErrorCode.CoordinatorNotAvailable,
        GroupError.Failed => ErrorCode.UnknownServerError,
    };
}
