using Millrace.Server.Cli.Diagnosis;

namespace Millrace.Server.Cli;

/// <summary>What the program tells a script. Part of the command line's contract: numbers never change.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    /// <summary>The command was understood and could not be carried out.</summary>
    public const int Failed = 1;

    /// <summary>The command line, the configuration or the input is wrong.</summary>
    public const int Usage = 2;

    /// <summary>What the command is about does not exist.</summary>
    public const int NotFound = 3;

    /// <summary>What the command should create exists already.</summary>
    public const int AlreadyExists = 4;

    /// <summary>No broker answers at the address, or no store where a store was asked.</summary>
    public const int Unreachable = 5;

    /// <summary>A check found damage.</summary>
    public const int Damaged = 6;

    /// <summary>Brokers answer, and a partition that the command needs has no leader.</summary>
    public const int NoLeader = 7;

    /// <summary>A broker answers, and says that its store does not work.</summary>
    public const int StoreAway = 8;

    /// <summary>A broker answers, and says that its store has no room left.</summary>
    public const int StoreFull = 9;

    /// <summary>A broker took the connection, and what was asked of it was not done in time.</summary>
    public const int TimedOut = 10;

    /// <summary>What the codes mean, for <c>--help</c>; docs/operations.md says the same.</summary>
    public static IReadOnlyList<(int Code, string Meaning)> All { get; } =
    [
        (Success, "done"),
        (Failed, "understood, and could not be carried out"),
        (Usage, "the command line, the configuration or the input is wrong"),
        (NotFound, "what the command is about does not exist"),
        (AlreadyExists, "what it should create exists"),
        (Unreachable, "no broker, or no store, answers there"),
        (Damaged, "a check found damage"),
        (NoLeader, "a partition that the command needs has no leader"),
        (StoreAway, "the broker answers, and its store does not work"),
        (StoreFull, "the broker answers, and its store has no room left"),
        (TimedOut, "a broker took the connection, and the time was up before all was done"),
    ];

    /// <summary>What a command ends with that could not do its work for a reason.</summary>
    public static int Of(FindingKind reason) => reason switch
    {
        FindingKind.Unreachable or FindingKind.Foreign => Unreachable,
        FindingKind.Well or FindingKind.Silent => TimedOut,
        FindingKind.StoreAway => StoreAway,
        FindingKind.StoreFull => StoreFull,
        FindingKind.TopicAbsent => NotFound,
        FindingKind.NoLeader => NoLeader,
    };
}
