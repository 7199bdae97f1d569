namespace Millrace.Streams.Wal.Object;

/// <summary>What an operator may tune about an object WAL.</summary>
public sealed record ObjectWalOptions
{
    /// <summary>Bytes of records that one object takes at most; when so many wait, it is written at once.</summary>
    public int BatchBytes { get; init; } = 4 << 20;

    /// <summary>
    /// When an object takes longer than this, the next ones are smaller; below a quarter of it they grow again. Well within the limit of a request.
    /// </summary>
    public TimeSpan LongestWrite { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>
    /// An upload begins when it holds so many objects: a recovery has to read each of them, however small they are.
    /// </summary>
    public int UploadObjects { get; init; } = 1_000;

    /// <summary>The longest time that appends gather while other objects are being written.</summary>
    public TimeSpan LongestGathering { get; init; } = TimeSpan.FromMilliseconds(250);
}
