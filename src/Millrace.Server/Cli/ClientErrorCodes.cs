using Confluent.Kafka;

namespace Millrace.Server.Cli;

/// <summary>What the error codes of brokers and of the client library mean for a command.</summary>
internal static class ClientErrorCodes
{
    /// <summary>Clients repeat it until their time is up: it says that something was waited for, and not what.</summary>
    public static bool IsWait(ErrorCode code) =>
        code is ErrorCode.Local_Transport or ErrorCode.Local_TimedOut or ErrorCode.Local_AllBrokersDown or ErrorCode.Local_Resolve
            or ErrorCode.Local_TimedOutQueue or ErrorCode.Local_MsgTimedOut or ErrorCode.Local_WaitCoord
            or ErrorCode.RequestTimedOut or ErrorCode.NetworkException
            or ErrorCode.LeaderNotAvailable or ErrorCode.NotLeaderForPartition or ErrorCode.KafkaStorageError
            or ErrorCode.GroupCoordinatorNotAvailable or ErrorCode.GroupLoadInProgress or ErrorCode.NotCoordinatorForGroup;

    /// <summary>What a command ends with.</summary>
    public static int ExitCodeOf(ErrorCode code) => code switch
    {
        ErrorCode.UnknownTopicOrPart or ErrorCode.Local_UnknownTopic or ErrorCode.Local_UnknownPartition or ErrorCode.GroupIdNotFound
            or ErrorCode.UnknownTopicId => ExitCode.NotFound,
        ErrorCode.TopicAlreadyExists => ExitCode.AlreadyExists,
        ErrorCode.LeaderNotAvailable or ErrorCode.NotLeaderForPartition => ExitCode.NoLeader,
        ErrorCode.KafkaStorageError => ExitCode.StoreAway,
        ErrorCode.Local_InvalidArg or ErrorCode.Local_UnknownProtocol => ExitCode.Usage,
        // What brokers say of values that are none: of topics' configs the one, of their own the other.
        ErrorCode.InvalidConfig or ErrorCode.InvalidRequest => ExitCode.Usage,
        _ => IsWait(code) ? ExitCode.TimedOut : ExitCode.Failed,
    };
}
