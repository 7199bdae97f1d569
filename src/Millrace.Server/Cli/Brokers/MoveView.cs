using Millrace.Metadata;

namespace Millrace.Server.Cli.Brokers;

/// <summary>A partition's move from one broker to another, as its two brokers tell of it.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Partition">The partition's number.</param>
/// <param name="From">Who led it before.</param>
/// <param name="To">Who leads it next.</param>
/// <param name="Phase">How far it is.</param>
internal sealed record MoveView(string Topic, int Partition, int From, int To, MovePhase Phase)
{
    /// <summary>Payload that no object holds yet, in bytes.</summary>
    public long BytesLeft { get; init; }

    /// <summary>Payload that was uploaded because of the move, in bytes; null where the former leader cannot be asked.</summary>
    public long? BytesUploaded { get; init; }

    /// <summary>How long it has served nobody, or had not; null if it has not stopped, or the former leader cannot be asked.</summary>
    public TimeSpan? Stop { get; init; }

    /// <summary>How long it is planned; of one that its next leader alone tells of, how long that leads it.</summary>
    public TimeSpan Age { get; init; }

    /// <summary>How long ago it ended; null if it has not.</summary>
    public TimeSpan? EndedAgo { get; init; }

    /// <summary>The phase in a word.</summary>
    public string PhaseInWords => Phase.ToString().ToLowerInvariant();
}
