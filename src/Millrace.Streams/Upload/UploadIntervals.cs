namespace Millrace.Streams.Upload;

/// <summary>
/// How long records wait for their upload. Each upload leaves a range in the metadata for each stream that it takes records of, so that it is put off as
/// long as many streams have little: then as many ranges a second come of it as are worth having.
/// </summary>
/// <remarks>
/// What a recovery has to read grows by that, but not its bound: the bytes and the objects of a WAL at which an upload begins, however young the records,
/// stay as they are.
/// </remarks>
internal static class UploadIntervals
{
    /// <summary>A range of so many bytes is worth its place.</summary>
    public const int LittleBytes = 64 << 10;

    // A broker of 500 such streams uploads every ten seconds, one of 3,000 or more every minute. A range takes some ten bytes each in the log, in
    // snapshots and in the controller's memory, for good.
    private const double RangesPerSecond = 50;

    /// <param name="options">The bounds.</param>
    /// <param name="streams">How many have records to upload.</param>
    /// <param name="bytes">What all these take: so many streams at most have more than little.</param>
    public static TimeSpan Of(StreamsOptions options, int streams, long bytes)
    {
        var wanted = TimeSpan.FromSeconds(Math.Max(0, streams - (bytes / LittleBytes)) / RangesPerSecond);
        var longest = options.UploadIntervalLimit > options.UploadInterval ? options.UploadIntervalLimit : options.UploadInterval;
        return wanted < options.UploadInterval ? options.UploadInterval : wanted > longest ? longest : wanted;
    }
}
