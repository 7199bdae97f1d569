namespace Millrace.Server.Cli.Diagnosis;

/// <summary>What a look at a broker finds: the worst that is the case.</summary>
internal enum FindingKind
{
    /// <summary>It answers, and nothing is amiss with what the command is about.</summary>
    Well,

    /// <summary>There is nobody to talk to: connections are refused, or the host is not known or not there.</summary>
    Unreachable,

    /// <summary>Connections are taken, and nothing is answered.</summary>
    Silent,

    /// <summary>What answers does not speak Kafka's protocol.</summary>
    Foreign,

    StoreAway,

    StoreFull,

    TopicAbsent,

    NoLeader,
}
